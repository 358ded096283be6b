import classes from './status-pill.module.css';

export type PillTone = 'neutral' | 'live' | 'good' | 'bad' | 'warm' | 'iris';

interface StatusPillProps {
  tone: PillTone;
  label: string;
  testId?: string;
  title?: string;
}

/** A state in one word. The dot pulses while something is under way. */
export function StatusPill({ tone, label, testId, title }: StatusPillProps) {
  return (
    <span className={classes.pill} data-tone={tone} data-testid={testId} title={title}>
      <span className={classes.dot} aria-hidden="true" />
      {label}
    </span>
  );
}
