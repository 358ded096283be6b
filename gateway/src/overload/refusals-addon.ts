import { join } from 'node:path';
import { type AddonForm, type AddonState, createAddonLoader } from '@kindred/native/load-addon';

/** gateway/native/refusals.cc: refuses requests where they were read, before Node makes anything of them. */
export interface RefusalsAddon {
  /** Nothing is refused on a connection for longer than `passEveryMs` in a row without Node having seen something of it. */
  readonly Refusals: new (
    passEveryMs: number,
  ) => NativeRefusals;
  /** What came, where it is one whole request for an operation of the plainest form; `origin` is `''` where there is none. */
  readWholeRequest(bytes: Buffer): { readonly headerCount: number; readonly origin: string } | undefined;
}

/** The refusals of one gateway. */
export interface NativeRefusals {
  /** How many there were since the start. */
  readonly refused: number;
  /** Whether what comes over watched connections is refused. */
  setFull(isFull: boolean): void;
  /** What is answered, one after the other, to pages of an origin, and to all others under `''`; nothing is refused without. */
  setAnswers(origin: string, answers: readonly Buffer[]): void;
  /** Of how many connections something came since this was asked before. */
  takeAsked(): number;
  open(): NativeConnection;
  /**
   * Looks at what comes over connections from now on, as long as it and the parser agree on it. The parser must hold no part
   * of a body. To find one takes as long as to find all: the streams of the process are gone through.
   */
  watch(connections: readonly NativeConnection[], descriptors: readonly number[]): void;
}

/** A connection on which something was refused. */
export interface NativeConnection {
  /** To be called with every request that is parsed. */
  beginRequest(headerCount: number): void;
  /** To be called when one is answered. */
  endRequest(): void;
}

const REFUSALS_ADDON: AddonForm<RefusalsAddon> = { name: 'refusals', members: ['Refusals', 'readWholeRequest'] };

const loadAddon = createAddonLoader(join(import.meta.dirname, '../../build'));

/** Loads the addon once per thread; never throws. */
export function loadRefusalsAddon(): AddonState<RefusalsAddon> {
  return loadAddon(REFUSALS_ADDON);
}
