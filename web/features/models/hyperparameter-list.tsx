import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './hyperparameter-list.module.css';

const HYPERPARAMETERS = graphql(`
  fragment HyperparameterList on Hyperparameters {
    dimension
    layers
    learningRate
    regularization
    batchSize
    epochs
    patience
    seed
  }
`);

export function HyperparameterList({
  hyperparameters: masked,
}: {
  hyperparameters: FragmentType<typeof HYPERPARAMETERS>;
}) {
  const settings = readFragment(HYPERPARAMETERS, masked);
  const rows: [string, number][] = [
    ['Embedding dimension', settings.dimension],
    ['Propagation layers', settings.layers],
    ['Learning rate', settings.learningRate],
    ['Regularisation', settings.regularization],
    ['Batch size', settings.batchSize],
    ['Epochs at most', settings.epochs],
    ['Patience (epochs)', settings.patience],
    ['Seed', settings.seed],
  ];
  return (
    <dl className={classes.list}>
      {rows.map(([name, value]) => (
        <div key={name} className={classes.row}>
          <dt>{name}</dt>
          <dd className="numeric">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
