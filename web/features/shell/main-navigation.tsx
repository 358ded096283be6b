import {
  IconApi,
  IconBrain,
  IconCalendarOff,
  IconGauge,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconSparkles,
  IconTableImport,
  IconUsers,
  IconWebhook,
} from '@tabler/icons-react';
import Link from 'next/link';
import classes from './main-navigation.module.css';

const PLACES = [
  { href: '/', label: 'Overview', icon: IconLayoutDashboard, under: [] },
  { href: '/models', label: 'Models', icon: IconBrain, under: ['/runs', '/tunings', '/batches'] },
  { href: '/imports', label: 'Imports', icon: IconTableImport, under: [] },
  { href: '/recommendations', label: 'Recommendations', icon: IconSparkles, under: [] },
  { href: '/graphql', label: 'API explorer', icon: IconApi, under: [] },
  { href: '/api-keys', label: 'API keys', icon: IconKey, under: [] },
  { href: '/usage', label: 'Usage', icon: IconGauge, under: [] },
  { href: '/webhooks', label: 'Webhooks', icon: IconWebhook, under: [] },
  { href: '/members', label: 'Members', icon: IconUsers, under: [] },
  { href: '/retention', label: 'Retention', icon: IconCalendarOff, under: [] },
  { href: '/audit-log', label: 'Audit log', icon: IconHistory, under: [] },
] as const;

export function MainNavigation({ path, onNavigate }: { path: string; onNavigate: () => void }) {
  return (
    <ul className={classes.list}>
      {PLACES.map(({ href, label, icon: Icon, under }) => {
        const roots = href === '/' ? [] : [href, ...under];
        const here = path === href || roots.some((root) => path.startsWith(`${root}/`));
        return (
          <li key={href}>
            <Link href={href} className={classes.link} aria-current={here ? 'page' : undefined} onClick={onNavigate}>
              <Icon size={18} stroke={1.7} aria-hidden="true" />
              {label}
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
