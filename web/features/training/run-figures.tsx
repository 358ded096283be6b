import { formatCompact, formatDuration, formatLift, formatMetric, formatPlural } from '../../lib/format.ts';
import { FigureStrip } from '../shell/figure-strip.tsx';
import { bestEpoch, popularityLevel, type TrainingProgress } from './training-progress.ts';

interface RunFiguresProps {
  progress: TrainingProgress;
  /** When the run began; null while it is queued. */
  startedAt: string | null;
  /** When the run ended, or now, in epoch milliseconds. */
  until: number;
  over: boolean;
}

/** The run in four figures, and how far the training is. */
export function RunFigures({ progress, startedAt, until, over }: RunFiguresProps) {
  const { points, plannedEpochs, samplesPerSecond, trainedBy } = progress;
  const level = popularityLevel(progress);
  const best = bestEpoch(points);
  const lift = best === null || level === null ? null : formatLift(best.ndcgAt10, level);
  const elapsedMs = startedAt === null ? null : Math.max(0, until - Date.parse(startedAt));
  const share = over && points.length > 0 ? 1 : plannedEpochs === null ? 0 : points.length / plannedEpochs;
  const isTimed = !over && trainedBy !== null;
  return (
    <FigureStrip
      label="Epochs trained"
      share={share}
      over={over}
      testId="run-progress"
      figures={[
        {
          label: 'Trained',
          value: <span data-testid="live-point-count">{formatPlural(points.length, 'epoch')}</span>,
          note: plannedEpochs === null ? (over ? 'none' : 'waiting for the first') : `of ${plannedEpochs} at most`,
        },
        {
          label: 'Best NDCG@10',
          value: best === null ? '–' : formatMetric(best.ndcgAt10),
          note:
            best === null
              ? 'on validation interactions'
              : `epoch ${best.epoch}${lift ? ` · ${lift} over popularity` : ''}`,
          better: best !== null && level !== null && best.ndcgAt10 > level,
        },
        {
          label: 'Speed',
          value: samplesPerSecond === null ? '–' : formatCompact(samplesPerSecond),
          note: 'samples per second',
        },
        {
          label: isTimed ? 'Training left' : 'Elapsed',
          value: isTimed
            ? formatDuration(Math.max(0, trainedBy - until))
            : elapsedMs === null
              ? '–'
              : formatDuration(elapsedMs),
          note: isTimed && elapsedMs !== null ? `at most · ${formatDuration(elapsedMs)} so far` : 'since the start',
        },
      ]}
    />
  );
}
