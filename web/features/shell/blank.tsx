import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './blank.module.css';

interface BlankProps {
  icon: Icon;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** What stands where content would be while there is none yet: what it will be, and how to get there. */
export function Blank({ icon: Picture, title, children, action }: BlankProps) {
  return (
    <div className={classes.blank}>
      <span className={classes.icon}>
        <Picture size={22} stroke={1.6} aria-hidden="true" />
      </span>
      <p className={classes.title}>{title}</p>
      <p className={classes.text}>{children}</p>
      {action}
    </div>
  );
}
