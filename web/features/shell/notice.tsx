import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './notice.module.css';

interface NoticeProps {
  title?: string;
  children: ReactNode;
  testId?: string;
}

/** What went wrong, within a page or form that goes on. */
export function Notice({ title, children, testId }: NoticeProps) {
  return (
    <div className={classes.notice} role="alert" data-testid={testId}>
      <IconAlertCircle size={18} stroke={1.8} aria-hidden="true" />
      <div>
        {title === undefined ? null : <p className={classes.title}>{title}</p>}
        <p className={classes.text}>{children}</p>
      </div>
    </div>
  );
}
