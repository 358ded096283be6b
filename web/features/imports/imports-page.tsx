'use client';

import { IconTableImport } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { formatPlural } from '../../lib/format.ts';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ImportListRowFragment } from '../../src/generated/graphql.ts';
import classes from '../jobs/job-layout.module.css';
import { JobList } from '../jobs/job-list.tsx';
import { WritersOnly } from '../session/writers-only.tsx';
import { Blank } from '../shell/blank.tsx';
import { ListPanel } from '../shell/list-panel.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { FORMAT_NAMES, KIND_NAMES } from './import-names.ts';
import { UploadForm } from './upload-form.tsx';

const ROW = graphql(`
  fragment ImportListRow on Import {
    id
    kind
    format
    status
    failure
    writtenCount
    failedCount
    createdAt
  }
`);

const IMPORTS = graphql(`
  query Imports($first: Int!) {
    imports(first: $first) {
      edges {
        cursor
        node {
          id
          ...ImportListRow
        }
      }
    }
  }
`);

export function ImportsPage() {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: IMPORTS,
    variables: { first: 50 },
    requestPolicy: 'cache-and-network',
  });
  const imports =
    data &&
    readFragment(
      ROW,
      data.imports.edges.map(({ node }) => node),
    );
  return (
    <>
      <PageHeader title="Imports" description="Files of items and interactions, on their way into the catalogue." />
      <div className={classes.stack}>
        <Panel title="Import a file" testId="upload">
          <WritersOnly deed="import a file">
            <UploadForm />
          </WritersOnly>
        </Panel>
        <ListPanel
          title="Files"
          fetching={fetching}
          error={error}
          onRetry={() => refetch({ requestPolicy: 'network-only' })}
        >
          {imports === undefined ? undefined : imports.length === 0 ? (
            <Blank icon={IconTableImport} title="No file yet">
              Each wrong row is reported with its line and its reason.
            </Blank>
          ) : (
            <JobList
              label="Imports"
              rows={imports.map((each) => ({
                ...each,
                href: `/imports/${each.id}`,
                title: `${KIND_NAMES[each.kind]}, ${FORMAT_NAMES[each.format]}`,
                outcome: describeOutcome(each),
              }))}
            />
          )}
        </ListPanel>
      </div>
    </>
  );
}

function describeOutcome({ failure, writtenCount, failedCount }: ImportListRowFragment): string {
  if (failure) return failure;
  const written = `${formatPlural(writtenCount, 'row')} written`;
  return failedCount === 0 ? written : `${written}, ${failedCount.toLocaleString('en')} wrong`;
}
