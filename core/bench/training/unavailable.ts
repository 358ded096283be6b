import { BackendUnavailableError } from '../../src/lightgcn/backend-error.ts';

/** A back-end does not work here, and why. */
export interface Unavailable {
  readonly unavailable: string;
}

/** What `measure` gives; the reason where the back-end it asks for does not work on this machine. */
export async function orUnavailable<Result>(measure: () => Promise<Result>): Promise<Result | Unavailable> {
  try {
    return await measure();
  } catch (error) {
    if (error instanceof BackendUnavailableError) return { unavailable: error.message };
    throw error;
  }
}
