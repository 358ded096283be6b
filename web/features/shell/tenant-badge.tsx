import { Skeleton } from '@mantine/core';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { firstLetter } from '../../lib/format.ts';
import classes from './tenant-badge.module.css';

const TENANT = graphql(`
  fragment TenantBadge on Tenant {
    name
    slug
    simulated
  }
`);

export function TenantBadge({ tenant: masked }: { tenant: FragmentType<typeof TENANT> | null | undefined }) {
  const tenant = readFragment(TENANT, masked);
  if (!tenant) return <Skeleton height={50} radius="md" aria-hidden="true" />;
  return (
    <div className={classes.badge}>
      <span className={classes.initial} aria-hidden="true">
        {firstLetter(tenant.name)}
      </span>
      <span className={classes.words}>
        <span className={classes.name}>{tenant.name}</span>
        <span className={classes.slug}>{tenant.simulated ? 'Simulated viewers' : tenant.slug}</span>
      </span>
    </div>
  );
}
