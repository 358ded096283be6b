import { HttpError } from './http-error.ts';

/** What a client asks of POST /graphql (GraphQL over HTTP, section 5). */
export interface OperationRequest {
  /** Undefined where the document is named by its hash. */
  query: string | undefined;
  operationName: string | undefined;
  variables: Record<string, unknown>;
  extensions: Record<string, unknown>;
  documentId: string | undefined;
}

/** Reads a request's JSON. @throws HttpError that says which part is not as wanted */
export function readOperationRequest(text: string): OperationRequest {
  return readOperationObject(parse(text));
}

/** Reads a request from what its JSON holds. @throws like `readOperationRequest` */
export function readOperationObject(body: unknown): OperationRequest {
  if (!isObject(body)) throw bad(`The request body: wanted one JSON object, got ${kindOf(body)}.`);
  return {
    query: readString(body, 'query'),
    operationName: readString(body, 'operationName'),
    variables: readObject(body, 'variables'),
    extensions: readObject(body, 'extensions'),
    documentId: readString(body, 'documentId'),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bad('The request body cannot be read: wanted JSON in UTF-8.');
  }
}

function readString(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw bad(`${name}: wanted a string, got ${kindOf(value)}.`);
  return value;
}

function readObject(body: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = body[name] ?? {};
  if (!isObject(value)) throw bad(`${name}: wanted an object, got ${kindOf(value)}.`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
}

function bad(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
