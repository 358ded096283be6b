import { formatSetting } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { HyperparameterListFragment } from '../../src/generated/graphql.ts';
import classes from './hyperparameter-list.module.css';
import { LOSS_LABELS } from './hyperparameter-settings.ts';

const HYPERPARAMETERS = graphql(`
  fragment HyperparameterList on Hyperparameters {
    overridden
    loss
    dimension
    layers
    learningRate
    regularization
    batchSize
    epochs
    patience
    seed
    temperature
    secondTemperature
    logQCorrection
    negatives
    negativesGrowth
    userGroup
    lengthExponent
    initialDeviation
  }
`);

type Field = Exclude<keyof HyperparameterListFragment, '__typename' | ' $fragmentName' | 'overridden' | 'loss'>;

const LABELS: Record<Field, string> = {
  dimension: 'Embedding dimension',
  layers: 'Propagation layers',
  learningRate: 'Learning rate',
  regularization: 'Regularisation',
  batchSize: 'Batch size',
  epochs: 'Epochs at most',
  patience: 'Patience (epochs)',
  temperature: 'Temperature',
  secondTemperature: 'Second temperature',
  logQCorrection: 'Log-q correction',
  negatives: 'Shared negatives',
  negativesGrowth: 'Growth of negatives',
  userGroup: 'User group',
  lengthExponent: 'Length exponent',
  initialDeviation: 'Initial deviation',
  seed: 'Seed',
};

/** All settings, those that somebody set marked; what the loss does not read is left out. */
export function HyperparameterList({
  hyperparameters: masked,
}: {
  hyperparameters: FragmentType<typeof HYPERPARAMETERS>;
}) {
  const settings = readFragment(HYPERPARAMETERS, masked);
  const fields = (Object.keys(LABELS) as Field[]).filter((field) => settings[field] !== null);
  const isSet = (field: string): boolean => settings.overridden.includes(field);
  return (
    <dl className={classes.list}>
      <Row name="Loss" value={LOSS_LABELS[settings.loss]} isSet={isSet('loss')} />
      {fields.map((field) => (
        <Row key={field} name={LABELS[field]} value={<Value of={settings[field]} />} isSet={isSet(field)} />
      ))}
    </dl>
  );
}

/** Short, and in full for who points at it. */
function Value({ of: value }: { of: number | null }) {
  return value === null ? null : <span title={String(value)}>{formatSetting(value)}</span>;
}

function Row({ name, value, isSet }: { name: string; value: React.ReactNode; isSet: boolean }) {
  return (
    <div className={classes.row}>
      <dt>
        {name}
        {isSet ? <span className={classes.set}>set</span> : null}
      </dt>
      <dd className="numeric">{value}</dd>
    </div>
  );
}
