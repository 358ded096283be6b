import type { ReactNode } from 'react';
import classes from './panel.module.css';

export interface PanelProps {
  title?: ReactNode;
  /** What stands at the right end of the title's line. */
  aside?: ReactNode;
  description?: ReactNode;
  /** Whether the content touches the panel's edges, as tables do. */
  flush?: boolean;
  children: ReactNode;
  testId?: string;
}

export function Panel({ title, aside, description, flush = false, children, testId }: PanelProps) {
  return (
    <section className={classes.panel} data-testid={testId}>
      {title === undefined && aside === undefined ? null : (
        <header className={classes.head}>
          <div className={classes.titles}>
            <h2 className={classes.title}>{title}</h2>
            {description === undefined ? null : <p className={classes.description}>{description}</p>}
          </div>
          {aside}
        </header>
      )}
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
