import type { Hyperparameters, HyperparameterSettings } from './training.ts';

/** What was asked for. */
export interface TuningOrder {
  trialCount: number;
  /** How many trials are tried at a time. */
  parallelCount: number;
  /** The most epochs of a trial. */
  epochs: number;
  seed: number;
  /** Whether the model is to take the best settings when the tuning succeeds. */
  applies: boolean;
}

/** The trial with the best epoch, by NDCG@10 on the validation interactions. */
export interface BestTrial {
  number: number;
  ndcgAt10: number;
  settings: HyperparameterSettings;
}

/** What a tuning works with and what it found. */
export interface TuningState {
  /** Where the interactions are that every trial is trained on; null once the tuning has ended. */
  snapshotKey: string | null;
  userCount: number;
  itemCount: number;
  interactionCount: number;
  /** What is not searched, the same for every trial. */
  base: Hyperparameters;
  best: BestTrial | null;
  /** When the model took the best settings, in epoch milliseconds; null when it did not. */
  appliedAt: number | null;
}

export type TrialStatus = 'WAITING' | 'RUNNING' | 'DONE' | 'STOPPED' | 'FAILED';
