/** A form in which answers are sent (GraphQL over HTTP, section 6.4). */
export interface AnswerForm {
  contentType: string;
  /** Status 200 for every answer that is well-formed: what clients expect that ask for `application/json` by name. */
  isLegacy: boolean;
}

const GRAPHQL_TYPE = 'application/graphql-response+json';
const GRAPHQL: AnswerForm = { contentType: `${GRAPHQL_TYPE}; charset=utf-8`, isLegacy: false };
const LEGACY: AnswerForm = { contentType: 'application/json; charset=utf-8', isLegacy: true };
const ANY: AnswerForm = { contentType: 'application/json; charset=utf-8', isLegacy: false };

/** The form that an `Accept` header asks for; undefined when it asks for none that there is. */
export function answerForm(accept: string | undefined): AnswerForm | undefined {
  if (accept === undefined || accept === '*/*') return ANY;
  const types = accept.split(',').map((range) => (range.split(';', 1)[0] ?? '').trim().toLowerCase());
  if (types.includes(GRAPHQL_TYPE)) return GRAPHQL;
  if (types.includes('application/json')) return LEGACY;
  return types.includes('application/*') || types.includes('*/*') ? ANY : undefined;
}

/** Whether a body is said to be JSON in UTF-8, which no form of a page can send without being asked by CORS first. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  const [type, ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean);
  return type?.trim() === 'application/json' && (charset === undefined || charset === 'utf-8');
}
