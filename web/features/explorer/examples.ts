/** What of the tenant's own the examples name; undefined where it has none yet. */
export interface ExampleIds {
  userExternalId: string | undefined;
  item: { id: string; externalId: string } | undefined;
  runId: string | undefined;
}

export interface Example {
  query: string;
  variables: string;
}

/** Operations to begin with, ready to run where the tenant has what they name. Each writing one changes as little as it can. */
export function examplesFor({ userExternalId = '', item, runId = '' }: ExampleIds): Example[] {
  const { id: itemId = '', externalId: itemExternalId = '' } = item ?? {};
  const interaction = { userExternalId, itemExternalId, type: 'CLICK' };
  return [
    example(RECOMMEND, { input: { user: { externalId: userExternalId }, explain: true }, first: 10 }),
    example(SIMILAR_ITEMS, { itemId, first: 10 }),
    example(TRAINING_PROGRESS, { runId, afterSequence: 0 }),
    example(UPSERT_ITEMS, {
      input: { items: [{ externalId: 'explorer-example', title: 'An example', categories: ['Example'] }] },
    }),
    example(RECORD_INTERACTIONS, { input: { interactions: [interaction] } }),
    example(USAGE, {}),
  ];
}

function example(query: string, variables: object): Example {
  return { query: query.trim(), variables: JSON.stringify(variables, null, 2) };
}

const RECOMMEND = `
# What one of your users may like, with the reasons.
query Recommend($input: RecommendInput!, $first: Int!) {
  recommend(input: $input, first: $first) {
    recommendationId
    attributionToken
    status
    modelVersion {
      number
      model {
        name
      }
    }
    edges {
      rank
      score
      node {
        externalId
        title
      }
      reasons {
        contribution
        item {
          title
        }
      }
    }
  }
}`;

const SIMILAR_ITEMS = `
# The items nearest to one item.
query SimilarItems($itemId: ID!, $first: Int!) {
  similarItems(itemId: $itemId, first: $first) {
    status
    edges {
      rank
      score
      node {
        externalId
        title
        categories
      }
    }
  }
}`;

const TRAINING_PROGRESS = `
# A training run as it goes on, from its first event.
subscription TrainingProgress($runId: ID!, $afterSequence: Int) {
  trainingProgress(runId: $runId, afterSequence: $afterSequence) {
    sequence
    at
    kind
    phase
    message
    epoch {
      epoch
      epochs
      loss
      ndcgAt10
      recallAt10
    }
    run {
      model {
        name
      }
    }
  }
}`;

const UPSERT_ITEMS = `
# Writes items to your catalogue: run it again, and nothing changes.
mutation UpsertItems($input: UpsertItemsInput!) {
  upsertItems(input: $input) {
    writtenCount
    failedCount
    userErrors {
      code
      message
      path
    }
  }
}`;

const RECORD_INTERACTIONS = `
# Tells what a user did. Give the attributionToken of the answer that showed the item, and it is credited.
mutation RecordInteractions($input: RecordInteractionsInput!) {
  recordInteractions(input: $input) {
    recordedCount
    duplicateCount
    failedCount
    userErrors {
      code
      message
      path
    }
  }
}`;

const USAGE = `
# What this month has used so far, and what it costs.
query Usage($month: String) {
  usage(month: $month) {
    month
    requests
    points
    recommendations
    interactions
    trainings
    cost {
      amount
      currency
    }
  }
}`;
