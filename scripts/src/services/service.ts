import type { Child } from '../processes/start-child.ts';

/** A database, cache or workflow server that the platform runs on. */
export interface Service {
  readonly name: string;
  /** Where clients connect. */
  readonly url: string;
  /** The process behind it; null when somebody else runs it. */
  readonly child: Child | null;
  /** One short word on where it comes from, such as `embedded 18.4`. */
  readonly origin: string;
}
