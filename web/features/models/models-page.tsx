'use client';

import { Button, Skeleton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBrain, IconPlus } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { Blank } from '../shell/blank.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
import { CreateModelDialog } from './create-model-dialog.tsx';
import { ModelCard } from './model-card.tsx';
import classes from './models-page.module.css';

const MODELS = graphql(`
  query Models($first: Int!) {
    models(first: $first) {
      edges {
        cursor
        node {
          id
          ...ModelCard
        }
      }
    }
  }
`);

export function ModelsPage() {
  const [dialogOpen, dialog] = useDisclosure();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: MODELS,
    variables: { first: 100 },
    requestPolicy: 'cache-and-network',
  });
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open} data-testid="create-model">
      New model
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Models"
        description="A model is a recipe: an algorithm and its settings. Every training makes a new version of it."
        actions={create}
      />
      {data ? (
        data.models.edges.length === 0 ? (
          <Panel>
            <Blank icon={IconBrain} title="No model yet" action={create}>
              Create one with the default settings, train it, and it answers recommendations as soon as it beats
              nothing.
            </Blank>
          </Panel>
        ) : (
          <div className={classes.grid}>
            {data.models.edges.map(({ node }) => (
              <ModelCard key={node.id} model={node} />
            ))}
          </div>
        )
      ) : error && !fetching ? (
        <Panel>
          <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
        </Panel>
      ) : (
        <div className={classes.grid} aria-busy="true">
          <Skeleton height={176} radius="lg" />
          <Skeleton height={176} radius="lg" />
        </div>
      )}
      <CreateModelDialog opened={dialogOpen} onClose={dialog.close} />
    </>
  );
}
