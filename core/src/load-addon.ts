import { join } from 'node:path';
import { createAddonLoader } from '@kindred/native/load-addon';

/** Loads an addon of core/build once per thread; never throws. */
export const loadAddon = createAddonLoader(join(import.meta.dirname, '..', 'build'));
