'use client';

import { NativeSelect, Skeleton } from '@mantine/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
import { StatusPill } from '../shell/status-pill.tsx';
import { CostSummary } from './cost-summary.tsx';
import { DailyBars } from './daily-bars.tsx';
import { latestMonths, nameOfMonth } from './months.ts';
import { PlanMeters } from './plan-meters.tsx';
import classes from './usage-page.module.css';

const USAGE = graphql(`
  query UsageOfMonth($month: String!) {
    tenant {
      id
      plan {
        name
        ...PlanLimits
      }
    }
    usage(month: $month) {
      month
      ...UsedOfPlan
      ...CostOfMonth
      ...DaysOfMonth
    }
  }
`);

const PLAN_LABELS = { FREE: 'Free plan', GROWTH: 'Growth plan', SCALE: 'Scale plan' } as const;
const MONTHS_SHOWN = 12;

export function UsagePage() {
  const [months] = useState(() => latestMonths(new Date(), MONTHS_SHOWN));
  const [month, setMonth] = useState(months[0] ?? '');
  const [{ data, error, fetching }, refetch] = useQuery({
    query: USAGE,
    variables: { month },
    requestPolicy: 'cache-and-network',
  });
  const shown = data?.usage.month === month ? data : undefined;
  const choice = (
    <NativeSelect
      aria-label="Month"
      value={month}
      onChange={(event) => setMonth(event.currentTarget.value)}
      data={months.map((value) => ({ value, label: nameOfMonth(value) }))}
      data-testid="usage-month"
    />
  );
  return (
    <>
      <PageHeader
        title="Usage"
        description="What was asked, stored and trained, what of the plan that is, and what it costs. Months and days are in UTC."
        badge={shown ? <StatusPill tone="iris" label={PLAN_LABELS[shown.tenant.plan.name]} /> : undefined}
        actions={choice}
      />
      {shown ? (
        <div className={classes.page}>
          <CostSummary usage={shown.usage} />
          <Panel title="Used of the plan" description="What is stored counts as it is now; the rest is of this month.">
            <PlanMeters plan={shown.tenant.plan} usage={shown.usage} />
          </Panel>
          <Panel title="Day by day">
            <DailyBars usage={shown.usage} />
          </Panel>
        </div>
      ) : error && !fetching ? (
        <Panel>
          <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
        </Panel>
      ) : (
        <div aria-busy="true" className={classes.page}>
          <Skeleton height={96} radius="lg" />
          <Skeleton height={260} radius="lg" />
          <Skeleton height={260} radius="lg" />
        </div>
      )}
    </>
  );
}
