import type { ReactNode } from 'react';
import classes from './job-progress.module.css';

export interface JobFigure {
  label: string;
  value: ReactNode;
  note?: ReactNode;
}

interface JobProgressProps {
  /** What the bar measures, for those who do not see it. */
  label: string;
  /** 0-1. */
  share: number;
  over: boolean;
  figures: readonly JobFigure[];
}

/** Long work in a few figures, and how far it is. */
export function JobProgress({ label, share, over, figures }: JobProgressProps) {
  const percent = Math.round(share * 100);
  return (
    <div className={classes.box}>
      <dl className={classes.figures}>
        {figures.map((figure) => (
          <div key={figure.label} className={classes.figure}>
            <dt>{figure.label}</dt>
            <dd>
              <div className={`${classes.value} numeric`}>{figure.value}</div>
              {figure.note === undefined ? null : <div className={classes.note}>{figure.note}</div>}
            </dd>
          </div>
        ))}
      </dl>
      <div
        className={classes.track}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        data-testid="job-progress"
      >
        <div className={classes.fill} data-over={over} style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}
