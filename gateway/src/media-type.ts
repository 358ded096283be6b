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

const PARTS_TYPE = 'multipart/mixed';
// Of incremental delivery's versions the one that Apollo Client, urql and Hive read.
const DEFER_SPEC = '20220824';
const STREAM_TYPES: ReadonlySet<string> = new Set(['text/event-stream', 'text/*', '*/*']);
/** Who asks for parts alone gets what has none whole. */
const SATISFIED_BY_JSON: ReadonlySet<string> = new Set(['application/*', '*/*', PARTS_TYPE]);

/** The form that an `Accept` header asks for; undefined when it asks for none that there is. */
export function answerForm(accept: string | undefined): AnswerForm | undefined {
  if (accept === undefined || accept === '*/*') return ANY;
  const types = accept.split(',').map((range) => (range.split(';', 1)[0] ?? '').trim().toLowerCase());
  if (types.includes(GRAPHQL_TYPE)) return GRAPHQL;
  if (types.includes('application/json')) return LEGACY;
  return types.some((type) => SATISFIED_BY_JSON.has(type)) ? ANY : undefined;
}

/** Whether an `Accept` header asks for answers in parts where something is deferred. */
export function acceptsParts(accept: string | undefined): boolean {
  return rangesOf(accept).some(({ type, deferSpec }) => type === PARTS_TYPE && acceptsDeferSpec(deferSpec));
}

/** Whether an `Accept` header asks for an event stream. */
export function acceptsStream(accept: string | undefined): boolean {
  return accept === undefined || rangesOf(accept).some(({ type }) => type !== undefined && STREAM_TYPES.has(type));
}

/** Whether who asks for an operation over an event stream reads answers in parts: unless a range of `Accept` names another version of them. */
export function acceptsPartsInStream(accept: string | undefined): boolean {
  return rangesOf(accept).every(({ deferSpec }) => acceptsDeferSpec(deferSpec));
}

/** Whether a client that says this of incremental delivery's version reads ours; who says nothing does. */
export function acceptsDeferSpec(version: unknown): boolean {
  return version === undefined || version === DEFER_SPEC;
}

function rangesOf(accept = ''): { type: string | undefined; deferSpec: string | undefined }[] {
  return accept.split(',').map((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const named = parameters.find((parameter) => parameter.startsWith('deferspec='));
    return { type, deferSpec: named?.slice('deferspec='.length) };
  });
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
