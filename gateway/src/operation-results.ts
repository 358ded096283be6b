/** The results of one operation over a socket or stream, each as JSON, for a consumer who asks for them one at a time. */
export interface OperationResults extends AsyncIterableIterator<string, undefined> {
  next(): Promise<IteratorResult<string, undefined>>;
  /** Ends the operation, also while the consumer waits. */
  return(): Promise<IteratorResult<string, undefined>>;
}
