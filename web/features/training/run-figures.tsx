import { formatCompact, formatDuration, formatLift, formatMetric, formatPlural } from '../../lib/format.ts';
import classes from './run-figures.module.css';
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
  return (
    <div className={classes.box}>
      <dl className={classes.figures}>
        <Figure
          label="Trained"
          value={<span data-testid="live-point-count">{formatPlural(points.length, 'epoch')}</span>}
          note={plannedEpochs === null ? (over ? 'none' : 'waiting for the first') : `of ${plannedEpochs} at most`}
        />
        <Figure
          label="Best NDCG@10"
          value={best === null ? '–' : formatMetric(best.ndcgAt10)}
          note={
            best === null
              ? 'on validation interactions'
              : `epoch ${best.epoch}${lift ? ` · ${lift} over popularity` : ''}`
          }
          better={best !== null && level !== null && best.ndcgAt10 > level}
        />
        <Figure
          label="Speed"
          value={samplesPerSecond === null ? '–' : formatCompact(samplesPerSecond)}
          note="samples per second"
        />
        <Figure
          label={over || trainedBy === null ? 'Elapsed' : 'Training left'}
          value={
            over || trainedBy === null
              ? elapsedMs === null
                ? '–'
                : formatDuration(elapsedMs)
              : formatDuration(Math.max(0, trainedBy - until))
          }
          note={
            over || trainedBy === null || elapsedMs === null
              ? 'since the start'
              : `at most · ${formatDuration(elapsedMs)} so far`
          }
        />
      </dl>
      <div
        className={classes.track}
        role="progressbar"
        aria-label="Epochs trained"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        data-testid="run-progress"
      >
        <div className={classes.fill} data-over={over} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

interface FigureProps {
  label: string;
  value: React.ReactNode;
  note: string;
  better?: boolean;
}

function Figure({ label, value, note, better = false }: FigureProps) {
  return (
    <div className={classes.figure}>
      <dt>{label}</dt>
      <dd className={`${classes.value} numeric`}>{value}</dd>
      <dd className={`${classes.note} numeric`} data-better={better}>
        {note}
      </dd>
    </div>
  );
}
