'use client';

import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconUserPlus } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { ListPanel } from '../shell/list-panel.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { MemberList } from './member-list.tsx';

const MEMBERS = graphql(`
  query Members($first: Int!) {
    viewer {
      role
      account {
        id
      }
    }
    tenant {
      id
      members(first: $first) {
        edges {
          cursor
          node {
            ...MemberListRow
          }
        }
      }
    }
  }
`);

export function MembersPage() {
  const [dialogOpen, dialog] = useDisclosure();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: MEMBERS,
    variables: { first: 100 },
    requestPolicy: 'cache-and-network',
  });
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  const role = data?.viewer?.role;
  return (
    <>
      <PageHeader
        title="Members"
        description="Who may sign in to this tenant. A changed role holds within 15 minutes."
        actions={
          <Button leftSection={<IconUserPlus size={16} />} onClick={dialog.open} data-testid="invite-member">
            Invite
          </Button>
        }
      />
      <ListPanel fetching={fetching} error={error} onRetry={refresh}>
        {data ? (
          <MemberList
            members={data.tenant.members.edges.map(({ node }) => node)}
            viewer={{ role: role ?? null, accountId: data.viewer?.account?.id ?? null }}
            onChanged={refresh}
          />
        ) : undefined}
      </ListPanel>
      <InviteDialog opened={dialogOpen} onClose={dialog.close} viewerRole={role ?? null} />
    </>
  );
}
