const DOCUMENT_ID = /^sha256:([0-9a-f]{64})$/;

/** What clients send as `documentId` for the document whose text has this sha256, in hex. */
export function documentIdOf(digest: string): string {
  return `sha256:${digest}`;
}

/** The digest that a `documentId` names; undefined where it names none. */
export function digestOf(documentId: string): string | undefined {
  return DOCUMENT_ID.exec(documentId)?.[1];
}
