'use client';

import { AreaChart } from '@mantine/charts';
import { IconChartLine } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { epochTicks, valueAxis } from './axis-ticks.ts';
import classes from './curve-chart.module.css';
import type { EpochPoint } from './training-progress.ts';

export interface ReferenceLevel {
  label: string;
  value: number;
  color: string;
}

export interface CurveChartProps {
  title: string;
  /** What the curve is measured on. */
  note: string;
  points: readonly EpochPoint[];
  field: 'loss' | 'ndcgAt10';
  axisEnd: number;
  color: string;
  format: (value: number) => string;
  /** Whether the value axis begins at zero. */
  fromZero: boolean;
  /** Levels to compare with, drawn dashed. */
  references?: readonly ReferenceLevel[];
  best?: EpochPoint | null;
  /** What stands in the plot while there is no epoch. */
  blank: string;
  testId: string;
}

const AXIS_TEXT = { fontSize: 11.5, fill: 'var(--mantine-color-dimmed)' };

/** One figure of every epoch, drawn while they come in. */
export function CurveChart(props: CurveChartProps) {
  const { title, note, points, field, format, references = [], testId } = props;
  const last = points.at(-1);
  const summary =
    last === undefined
      ? `${title}: no epoch yet.`
      : `${title} over ${points.length} epochs, now ${format(last[field])}.${references.map(({ label, value }) => ` ${label}: ${format(value)}.`).join('')}`;
  return (
    <section className={classes.chart} data-testid={testId} data-points={points.length}>
      <header className={classes.head}>
        <div>
          <h2 className={classes.title}>{title}</h2>
          <p className={classes.note}>{note}</p>
        </div>
        <span className={`${classes.now} numeric`}>{last === undefined ? '' : format(last[field])}</span>
      </header>
      <div className={classes.plot} role="img" aria-label={summary}>
        {last === undefined && references.length === 0 ? (
          <div className={classes.waiting}>
            <IconChartLine size={20} stroke={1.5} aria-hidden="true" />
            {props.blank}
          </div>
        ) : (
          <Plot {...props} />
        )}
      </div>
      <p className={classes.legend}>
        <span>
          <span className={classes.key} style={{ borderTopColor: props.color }} />
          LightGCN
        </span>
        {references.map(({ label, value, color }) => (
          <span key={label} data-testid={`${testId}-baseline`}>
            <span className={classes.dashed} style={{ borderTopColor: color }} />
            {label} {format(value)}
          </span>
        ))}
      </p>
    </section>
  );
}

function describeEpoch(epoch: ReactNode): ReactNode {
  return ['Epoch ', epoch];
}

function Plot({
  points,
  field,
  axisEnd,
  color,
  format,
  fromZero,
  references = [],
  best = null,
  title,
}: CurveChartProps) {
  const last = points.at(-1);
  const values = points.map((point) => point[field]);
  const high = Math.max(...values, ...references.map(({ value }) => value), 0);
  const axis = valueAxis(fromZero ? 0 : Math.min(...values), high * 1.04);
  const domain = [axis.ticks[0] ?? 0, axis.ticks.at(-1) ?? 1];
  return (
    <AreaChart
      h="100%"
      data={[...points]}
      dataKey="epoch"
      series={[{ name: field, label: title, color }]}
      curveType="linear"
      withDots={points.length === 1}
      strokeWidth={2}
      fillOpacity={0.16}
      gridAxis="x"
      gridColor="var(--k-line)"
      tickLine="none"
      strokeDasharray="0"
      valueFormatter={format}
      areaProps={{ isAnimationActive: false, strokeLinejoin: 'round', baseValue: domain[0] ?? 0 }}
      areaChartProps={{ accessibilityLayer: false, margin: { top: 10, right: 14, bottom: 0, left: 0 } }}
      xAxisProps={{ type: 'number', domain: [1, axisEnd], ticks: epochTicks(axisEnd), tick: AXIS_TEXT, tickMargin: 6 }}
      yAxisProps={{
        domain,
        ticks: axis.ticks,
        width: 46,
        tick: AXIS_TEXT,
        tickFormatter: (tick: number) => tick.toFixed(axis.decimals),
      }}
      tooltipProps={{ labelFormatter: describeEpoch, isAnimationActive: false }}
      referenceLines={references.map(({ value, color: its }) => ({
        y: value,
        color: its,
        strokeDasharray: '5 5',
        strokeWidth: 1.5,
      }))}
      referenceDots={[
        ...(best === null
          ? []
          : [{ x: best.epoch, y: best[field], r: 5, stroke: color, fill: 'var(--k-surface)', strokeWidth: 2 }]),
        ...(last === undefined
          ? []
          : [{ x: last.epoch, y: last[field], r: 3.5, fill: color, stroke: 'var(--k-surface)' }]),
      ]}
    />
  );
}
