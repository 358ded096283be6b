/** A reason to stop that its reader can act on: shown as one line, without a stack. */
export class StopReason extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StopReason';
  }
}

/** The one line that says why a command ended. */
export function describeFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC') return 'The disk is full: free some space and start again.';
  return message.split('\n', 1)[0] ?? 'unknown error';
}
