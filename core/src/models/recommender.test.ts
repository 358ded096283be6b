import { bpr } from './bpr.ts';
import { createContentFactory } from './content-tower.ts';
import { ease } from './ease.ts';
import { graphFilter } from './graph-filter.ts';
import { ials } from './ials.ts';
import { itemKnn } from './item-knn.ts';
import { lightGcn } from './lightgcn-recommender.ts';
import { popularity } from './popularity-model.ts';
import { describeRecommender } from './recommender-suite.ts';
import { spectral } from './spectral.ts';

// Item rows are features of themselves by parity: two categories.
const parity = {
  lists: {
    offsets: Int32Array.from({ length: 17 }, (_, item) => item),
    items: Int32Array.from({ length: 16 }, (_, item) => item % 2),
  },
  featureCount: 2,
};

describeRecommender('popularity', popularity, { impersonal: true });
describeRecommender('item-kNN', itemKnn);
// The checkerboard has two directions: more would only tell the withheld pairs from the others.
describeRecommender('spectral', spectral, { config: { dimension: 2 } });
describeRecommender('GF-CF', graphFilter, { config: { dimension: 2 } });
describeRecommender('ChebyCF', graphFilter, { config: { order: 6, dimension: 2, filterPower: 0.25 } });
describeRecommender('EASE', ease, { config: { regularization: 10 } });
describeRecommender('iALS', ials, { config: { dimension: 2, unobserved: 0.1, epochs: 20 } });
describeRecommender('BPR', bpr, { config: { dimension: 4, epochs: 60 } });
describeRecommender('LightGCN', lightGcn, { config: { dimension: 8, epochs: 30, batchSize: 64 } });
describeRecommender('content tower', createContentFactory(parity), { checkerboardOnly: true });
