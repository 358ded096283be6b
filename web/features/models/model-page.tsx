'use client';

import { IconBrain, IconChartLine, IconHistory } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { formatDateTime } from '../../lib/format.ts';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ModelDetailFragment } from '../../src/generated/graphql.ts';
import { BatchesPanel } from '../batches/batches-panel.tsx';
import { Blank } from '../shell/blank.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { UnreadyPage } from '../shell/unready-page.tsx';
import { RunList } from '../training/run-list.tsx';
import { isOver } from '../training/run-status-pill.tsx';
import { TuningsPanel } from '../tuning/tunings-panel.tsx';
import { CanaryPanel } from './canary-panel.tsx';
import { CanarySettingsPanel } from './canary-settings-panel.tsx';
import { HyperparameterList } from './hyperparameter-list.tsx';
import classes from './model-page.module.css';
import { RollbackButton } from './rollback-button.tsx';
import { SchedulePanel } from './schedule-panel.tsx';
import { TrainButton } from './train-button.tsx';
import { VersionSummary } from './version-summary.tsx';

const DETAIL = graphql(`
  fragment ModelDetail on Model {
    id
    name
    createdAt
    hyperparameters {
      ...HyperparameterList
    }
    activeVersion {
      id
      ...VersionSummary
    }
    previousVersion {
      id
      number
    }
    schedule {
      everyMinutes
      afterInteractions
    }
    canarySettings {
      sharePercent
      minimumAnswers
      maximumMinutes
    }
    canary {
      ...CanaryPanel
    }
    runs(first: 50) {
      edges {
        cursor
        node {
          id
          status
          ...RunListRow
        }
      }
    }
    tunings(first: 10) {
      edges {
        cursor
        node {
          ...TuningListRow
        }
      }
    }
    batchRecommendations(first: 10) {
      edges {
        cursor
        node {
          ...BatchListRow
        }
      }
    }
  }
`);

const MODEL = graphql(`
  query Model($id: ID!) {
    model(id: $id) {
      id
      ...ModelDetail
    }
  }
`);

const TRAIL = [{ label: 'Models', href: '/models' }];

const MISSING = { icon: IconBrain, title: 'No such model' };

export function ModelPage({ modelId }: { modelId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: MODEL,
    variables: { id: modelId },
    requestPolicy: 'cache-and-network',
  });
  const model = readFragment(DETAIL, data?.model);
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  if (model) return <Detail model={model} onChanged={refresh} />;
  return (
    <UnreadyPage title="Model" trail={TRAIL} missing={MISSING} fetching={fetching} error={error} onRetry={refresh} />
  );
}

function Detail({ model, onChanged }: { model: ModelDetailFragment; onChanged: () => void }) {
  const runs = model.runs.edges.map(({ node }) => node);
  const open = runs.find(({ status }) => !isOver(status));
  return (
    <>
      <PageHeader
        title={model.name}
        trail={TRAIL}
        description={`LightGCN · created ${formatDateTime(model.createdAt)}`}
        actions={
          <>
            {model.previousVersion ? (
              <RollbackButton modelId={model.id} toNumber={model.previousVersion.number} onRolledBack={onChanged} />
            ) : null}
            <TrainButton modelId={model.id} openRunId={open?.id ?? null} />
          </>
        }
      />
      <div className={classes.page}>
        <div className={classes.main}>
          <Panel title="Active version">
            {model.activeVersion ? (
              <VersionSummary version={model.activeVersion} />
            ) : (
              <Blank icon={IconChartLine} title="No version is serving">
                Until a training promotes one, recommendations fall back to the most popular items.
              </Blank>
            )}
          </Panel>
          {model.canary ? <CanaryPanel canary={model.canary} onChanged={onChanged} /> : null}
          <Panel title="Training runs" flush>
            {runs.length === 0 ? (
              <Blank icon={IconHistory} title="Never trained">
                Press Train: the curve is drawn while it learns.
              </Blank>
            ) : (
              <RunList runs={runs} />
            )}
          </Panel>
          <TuningsPanel modelId={model.id} tunings={model.tunings.edges.map(({ node }) => node)} />
          <BatchesPanel
            modelId={model.id}
            isServing={model.activeVersion != null}
            batches={model.batchRecommendations.edges.map(({ node }) => node)}
          />
        </div>
        <div className={classes.main}>
          <SchedulePanel modelId={model.id} schedule={model.schedule ?? null} />
          <CanarySettingsPanel modelId={model.id} settings={model.canarySettings ?? null} />
          <Panel
            title="Settings"
            description="What a training would train with: what is not marked as set follows the data."
          >
            <HyperparameterList hyperparameters={model.hyperparameters} />
          </Panel>
        </div>
      </div>
    </>
  );
}
