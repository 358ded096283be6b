import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** An addon of core/native, or why there is none. */
export type AddonState<Addon> = { readonly addon: Addon } | { readonly addon: null; readonly reason: string };

/** How an addon is known: build/`name`.node has these `members`. */
export interface AddonForm<Addon> {
  readonly name: string;
  readonly members: readonly (keyof Addon & string)[];
}

const BUILD_FOLDER = join(import.meta.dirname, '..', 'build');

const loaded = new Map<string, AddonState<unknown>>();

/** Loads an addon of core/build once per thread; never throws. */
export function loadAddon<Addon>(form: AddonForm<Addon>): AddonState<Addon> {
  const state = loaded.get(form.name) ?? loadAddonFrom(BUILD_FOLDER, form);
  loaded.set(form.name, state);
  return state as AddonState<Addon>;
}

/** As `loadAddon`, from another folder and without remembering. */
export function loadAddonFrom<Addon>(buildFolder: string, form: AddonForm<Addon>): AddonState<Addon> {
  const path = join(buildFolder, `${form.name}.node`);
  if (!existsSync(path)) {
    const reasonPath = join(buildFolder, `${form.name}-unavailable.txt`);
    const reason = existsSync(reasonPath)
      ? readFileSync(reasonPath, 'utf8').trim()
      : `the ${form.name} addon was not built (npm run build -w core)`;
    return { addon: null, reason };
  }
  try {
    const addon: unknown = createRequire(import.meta.url)(path);
    if (hasForm(addon, form)) return { addon };
    return { addon: null, reason: `${path} is not the ${form.name} addon` };
  } catch (error) {
    return { addon: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function hasForm<Addon>(value: unknown, { members }: AddonForm<Addon>): value is Addon {
  return typeof value === 'object' && value !== null && members.every((member) => member in value);
}
