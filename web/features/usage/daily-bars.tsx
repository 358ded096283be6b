import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { formatCount } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './daily-bars.module.css';
import { daysOfMonth } from './months.ts';

const DAYS = graphql(`
  fragment DaysOfMonth on Usage {
    month
    days {
      day
      requests
      points
      recommendations
      interactions
      trainings
    }
  }
`);

const KINDS = [
  { value: 'requests', label: 'Requests' },
  { value: 'recommendations', label: 'Recommendations' },
  { value: 'interactions', label: 'Interactions' },
  { value: 'points', label: 'Points' },
  { value: 'trainings', label: 'Trainings' },
] as const;
type Kind = (typeof KINDS)[number]['value'];

export function DailyBars({ usage: masked }: { usage: FragmentType<typeof DAYS> }) {
  const { month, days } = readFragment(DAYS, masked);
  const [kind, setKind] = useState<Kind>('requests');
  const countByDay = new Map(days.map((day) => [day.day, day[kind]]));
  const bars = daysOfMonth(month).map((day) => ({ day, count: countByDay.get(day) ?? 0 }));
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const label = KINDS.find(({ value }) => value === kind)?.label ?? '';
  return (
    <div data-testid="daily-bars">
      <div className={classes.choice}>
        <SegmentedControl
          size="xs"
          data={KINDS.map(({ value, label: text }) => ({ value, label: text }))}
          value={kind}
          onChange={(value) => setKind(KINDS.find((known) => known.value === value)?.value ?? kind)}
          aria-label="What is shown by day"
        />
      </div>
      <div className={classes.plot}>
        <span className={`${classes.most} numeric`}>{formatCount(most)}</span>
        <ol className={classes.bars} aria-label={`${label} by day`}>
          {bars.map(({ day, count }) => (
            <li key={day} className={classes.bar} title={`${day}: ${formatCount(count)}`}>
              <span className={classes.fill} style={{ height: `${(count / most) * 100}%` }} aria-hidden="true" />
              <span className={`${classes.tick} numeric`} aria-hidden="true">
                {Number(day.slice(8))}
              </span>
              <span className={classes.hidden}>
                {day}: {formatCount(count)}
              </span>
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
