import { availableParallelism } from 'node:os';
import type { BackendKind, BackendOptions } from '../../src/lightgcn/backend.ts';
import { BACKEND_KINDS } from '../../src/lightgcn/choose-backend.ts';
import type { Hyperparameters } from '../../src/lightgcn/hyperparameters.ts';
import { loadLightGcnAddon } from '../../src/lightgcn/native-addon.ts';

/** One row of the table: a back-end and how it runs. */
export interface Configuration {
  readonly label: string;
  readonly options: BackendOptions & { readonly backend: BackendKind };
}

/** What every measurement in a child process is told. */
export interface TrainingTask extends Configuration {
  /** Of `writeForChildren`. */
  readonly dataPath: string;
  readonly hyperparameters: Hyperparameters;
}

export interface ConfigurationWish {
  /** Kinds of back-ends; all that core has where absent. */
  readonly backends: readonly string[] | undefined;
  /** Thread counts of back-ends that have threads. */
  readonly threads: readonly number[];
  readonly everyInstructionSet: boolean;
}

/**
 * A row for each wish, the reference first. Back-ends that do not work here have theirs too: their measurement says why.
 * @throws RangeError for a kind that core does not have.
 */
export function listConfigurations({ backends, threads, everyInstructionSet }: ConfigurationWish): Configuration[] {
  const kinds = backends?.map((name) => {
    const kind = BACKEND_KINDS.find((known) => known === name);
    if (!kind) throw new RangeError(`Wanted back-ends of ${BACKEND_KINDS.join(', ')}, got ${name}.`);
    return kind;
  });
  const sets = everyInstructionSet ? (loadLightGcnAddon().addon?.instructionSets ?? []) : [];
  // The reference first: the others are measured by it.
  const ordered = (kinds ?? BACKEND_KINDS).toSorted((a, b) => Number(b === 'reference') - Number(a === 'reference'));
  return ordered.flatMap((backend): Configuration[] => {
    if (backend !== 'native') return [{ label: backend, options: { backend } }];
    return threads.flatMap((count) => {
      const label = `native, ${count} ${count === 1 ? 'thread' : 'threads'}`;
      const own = sets.map((instructionSet) => ({
        label: `${label}, ${instructionSet}`,
        options: { backend, threads: count, instructionSet },
      }));
      return own.length > 0 ? own : [{ label, options: { backend, threads: count } }];
    });
  });
}

/** Threads whose bandwidth is the ceiling of a row: its own, one for plain TypeScript, else all of the machine's. */
export function ceilingThreads({ backend, threads }: Configuration['options']): number {
  return backend === 'reference' ? 1 : (threads ?? availableParallelism());
}
