import { IconCheck, IconX } from '@tabler/icons-react';
import { formatDuration } from '../../lib/format.ts';
import type { TrainingRunStatus } from '../../src/generated/graphql.ts';
import { PHASE_LABELS } from './run-status-pill.tsx';
import classes from './phase-stepper.module.css';
import { PHASES, stepState, type StepState, type TrainingProgress } from './training-progress.ts';

interface PhaseStepperProps {
  progress: TrainingProgress;
  status: TrainingRunStatus;
  /** When the run ended, or now, in epoch milliseconds. */
  until: number;
}

const STATE_WORDS: Record<StepState, string> = {
  done: 'done',
  active: 'under way',
  failed: 'stopped here',
  waiting: 'to come',
};

export function PhaseStepper({ progress, status, until }: PhaseStepperProps) {
  return (
    <ol className={classes.steps} aria-label="Steps of the run" data-testid="phase-stepper">
      {PHASES.map((phase, position) => {
        // Most runs have none.
        if (phase === 'CANARY' && progress.phase !== 'CANARY') return null;
        const state = stepState(phase, progress.phase, status);
        const tookMs = durationOf(progress, position, until);
        return (
          <li
            key={phase}
            className={classes.step}
            data-state={state}
            data-phase={phase}
            aria-current={state === 'active' ? 'step' : undefined}
          >
            <span className={classes.mark} aria-hidden="true">
              {state === 'done' ? <IconCheck size={13} stroke={2.6} /> : null}
              {state === 'failed' ? <IconX size={13} stroke={2.6} /> : null}
              {state === 'active' ? <span className={classes.spinner} /> : null}
              {state === 'waiting' ? position + 1 : null}
            </span>
            <span className={classes.words}>
              <span className={classes.name}>{PHASE_LABELS[phase]}</span>
              <span className={`${classes.took} numeric`}>
                {tookMs === null ? STATE_WORDS[state] : formatDuration(tookMs)}
              </span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** How long a phase took: until the next one that began, or until the end. Null when it has not begun. */
function durationOf({ phaseStartedAt }: TrainingProgress, position: number, until: number): number | null {
  const phase = PHASES[position];
  const began = phase === undefined ? undefined : phaseStartedAt[phase];
  if (began === undefined) return null;
  const next = PHASES.slice(position + 1).find((later) => phaseStartedAt[later] !== undefined);
  const ended = next === undefined ? until : Date.parse(phaseStartedAt[next] ?? began);
  return Math.max(0, ended - Date.parse(began));
}
