import type { CSSProperties, ReactNode } from 'react';
import classes from './figure-strip.module.css';

export interface StripFigure {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  /** Whether the note tells of something good. */
  better?: boolean;
}

interface FigureStripProps {
  /** What the bar measures, for those who do not see it. */
  label: string;
  /** 0-1. */
  share: number;
  over: boolean;
  figures: readonly StripFigure[];
  testId: string;
}

/** Long work in a few figures, and how far it is. */
export function FigureStrip({ label, share, over, figures, testId }: FigureStripProps) {
  const percent = Math.round(share * 100);
  return (
    <div className={classes.box} style={{ '--figures': figures.length } as CSSProperties}>
      <dl className={classes.figures}>
        {figures.map((figure) => (
          <div key={figure.label} className={classes.figure}>
            <dt>{figure.label}</dt>
            <dd className={`${classes.value} numeric`}>{figure.value}</dd>
            {figure.note === undefined ? null : (
              <dd className={`${classes.note} numeric`} data-better={figure.better ?? false}>
                {figure.note}
              </dd>
            )}
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
        data-testid={testId}
      >
        <div className={classes.fill} data-over={over} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
