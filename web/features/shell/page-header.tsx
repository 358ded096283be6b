import { IconChevronRight } from '@tabler/icons-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import classes from './page-header.module.css';

export interface PageHeaderProps {
  title: ReactNode;
  description?: ReactNode;
  /** The pages above this one, outermost first. */
  trail?: readonly { label: string; href: string }[];
  /** What stands beside the title, such as a status. */
  badge?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, description, trail = [], badge, actions }: PageHeaderProps) {
  return (
    <div className={classes.header}>
      <div className={classes.main}>
        {trail.length === 0 ? null : (
          <nav aria-label="Breadcrumb" className={classes.trail}>
            {trail.map(({ label, href }, position) => (
              <span key={href} className={classes.crumb}>
                {position === 0 ? null : <IconChevronRight size={13} aria-hidden="true" />}
                <Link href={href}>{label}</Link>
              </span>
            ))}
          </nav>
        )}
        <div className={classes.line}>
          <h1 className={classes.title}>{title}</h1>
          {badge}
        </div>
        {description === undefined ? null : <p className={classes.description}>{description}</p>}
      </div>
      {actions === undefined ? null : <div className={classes.actions}>{actions}</div>}
    </div>
  );
}
