import type { ItemCatalogue } from './filter/item-catalogue.ts';
import type { LoadedVersion } from './load-version.ts';
import type { PopularItems } from './popular-items.ts';
import type { Trial } from './trial.ts';

/** A loaded version that is closed when the last of its holders lets go; its maker is the first. */
export class HeldVersion {
  readonly version: LoadedVersion;
  #holderCount = 1;

  constructor(version: LoadedVersion) {
    this.version = version;
  }

  hold(): this {
    this.#holderCount += 1;
    return this;
  }

  letGo(): void {
    this.#holderCount -= 1;
    if (this.#holderCount === 0) this.version.index.close();
  }
}

/** The versions that one request may answer with, open until it is disposed of. */
export interface Lease extends Disposable {
  /** What answers now; null when the tenant has no version that could be loaded. */
  readonly current: LoadedVersion | null;
  /** What answered before. */
  readonly previous: LoadedVersion | null;
  /** What some of the users are answered with; null when no version is on trial. */
  readonly trial: Trial | null;
  /** What answers without a version. */
  readonly popular: PopularItems;
  /** What the tenant's items are like. */
  readonly catalogue: ItemCatalogue;
}

/** A trial with the hold on its version. */
export interface HeldTrial extends Omit<Trial, 'version'> {
  held: HeldVersion | null;
}

export interface HeldVersions {
  current: HeldVersion | null;
  previous: HeldVersion | null;
  trial: HeldTrial | null;
}

export function leaseOf(
  { current, previous, trial }: HeldVersions,
  tenant: Pick<Lease, 'popular' | 'catalogue'>,
): Lease {
  const held = trial?.held;
  current?.hold();
  previous?.hold();
  held?.hold();
  return {
    current: current?.version ?? null,
    previous: previous?.version ?? null,
    trial: trial && { ...trial, version: held?.version ?? null },
    ...tenant,
    [Symbol.dispose]: () => {
      current?.letGo();
      previous?.letGo();
      held?.letGo();
    },
  };
}
