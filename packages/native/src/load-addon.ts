import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A native addon, or why there is none. */
export type AddonState<Addon> = { readonly addon: Addon } | { readonly addon: null; readonly reason: string };

/** How an addon is known: build/`name`.node has these `members`. */
export interface AddonForm<Addon> {
  readonly name: string;
  readonly members: readonly (keyof Addon & string)[];
}

/** What loads the addons of a folder once per thread; never throws. */
export function createAddonLoader(buildFolder: string): <Addon>(form: AddonForm<Addon>) => AddonState<Addon> {
  const loaded = new Map<string, AddonState<unknown>>();
  return <Addon>(form: AddonForm<Addon>) => {
    const state = loaded.get(form.name) ?? loadAddonFrom(buildFolder, form);
    loaded.set(form.name, state);
    return state as AddonState<Addon>;
  };
}

/** Loads an addon of a folder anew; never throws. */
export function loadAddonFrom<Addon>(buildFolder: string, form: AddonForm<Addon>): AddonState<Addon> {
  const path = join(buildFolder, `${form.name}.node`);
  if (!existsSync(path)) {
    const reasonPath = join(buildFolder, `${form.name}-unavailable.txt`);
    const reason = existsSync(reasonPath)
      ? readFileSync(reasonPath, 'utf8').trim()
      : `the ${form.name} addon was not built (npm run build)`;
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
