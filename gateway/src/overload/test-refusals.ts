import { loadRefusalsAddon } from './refusals-addon.ts';

const state = loadRefusalsAddon();
if (state.addon === null) throw new Error(`Wanted the addon of gateway/native, got none: ${state.reason}`);

/** The addon, without which there is nothing to test. */
export const REFUSALS = state.addon;
