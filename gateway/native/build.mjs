// Builds the native addon of gateway/build/, only when its sources, its flags, the compiler or Node changed. Exits 0 also where
// it cannot be built.
import { buildAddons } from '@kindred/native/build-addons';
import { BUILD_FOLDER, refusalsAddon } from './addons.mjs';

await buildAddons('gateway', BUILD_FOLDER, [refusalsAddon()]);
