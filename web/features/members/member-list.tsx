'use client';

import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { formatDateTime } from '../../lib/format.ts';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { MemberListRowFragment, Role } from '../../src/generated/graphql.ts';
import { ConfirmDialog } from '../shell/confirm-dialog.tsx';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { tellOutcome } from '../shell/tell-outcome.ts';
import { ROLE_NAMES, rolesGivenBy } from './role-names.ts';

const ROW = graphql(`
  fragment MemberListRow on Member {
    account {
      id
      email
      displayName
    }
    role
    joinedAt
  }
`);

const CHANGE_ROLE = graphql(`
  mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
    changeMemberRole(input: $input) {
      member {
        ...MemberListRow
      }
      userErrors {
        message
      }
    }
  }
`);

const REMOVE = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) {
      removedAccountId
      userErrors {
        message
      }
    }
  }
`);

interface MemberListProps {
  members: readonly FragmentType<typeof ROW>[];
  viewer: { role: Role | null; accountId: string | null };
  onChanged: () => void;
}

export function MemberList({ members: masked, viewer, onChanged }: MemberListProps) {
  const members = readFragment(ROW, masked);
  const [removing, setRemoving] = useState<MemberListRowFragment | null>(null);
  return (
    <>
      <DataTable label="Members" columns={['Name', 'Joined', 'Role']} withActions>
        {members.map((member) => (
          <MemberRow
            key={member.account.id}
            member={member}
            viewer={viewer}
            onChanged={onChanged}
            onRemove={() => setRemoving(member)}
          />
        ))}
      </DataTable>
      <RemoveDialog member={removing} onClose={() => setRemoving(null)} onRemoved={onChanged} />
    </>
  );
}

interface MemberRowProps {
  member: MemberListRowFragment;
  viewer: MemberListProps['viewer'];
  onChanged: () => void;
  onRemove: () => void;
}

function MemberRow({ member: { account, role, joinedAt }, viewer, onChanged, onRemove }: MemberRowProps) {
  const [{ fetching }, changeRole] = useMutation(CHANGE_ROLE);
  const roles = rolesGivenBy(viewer.role);
  const isOurs = roles.some((given) => given === role);
  const change = async (next: Role): Promise<void> => {
    const input = { accountId: account.id, role: next, idempotencyKey: newIdempotencyKey() };
    const { data, error } = await changeRole({ input });
    const words = { done: `${account.displayName} is ${ROLE_NAMES[next]} now.`, failed: 'The role was not changed' };
    tellOutcome({ error, userErrors: data?.changeMemberRole.userErrors }, words);
    onChanged();
  };
  return (
    <tr data-testid="member-row" data-email={account.email}>
      <td>
        <CellText below={account.email}>
          {account.displayName}
          {account.id === viewer.accountId ? ' (you)' : ''}
        </CellText>
      </td>
      <td className="numeric">{formatDateTime(joinedAt)}</td>
      <td>
        {isOurs ? (
          <NativeSelect
            aria-label={`Role of ${account.displayName}`}
            value={role}
            disabled={fetching}
            onChange={({ currentTarget }) => void change(currentTarget.value as Role)}
            data={roles.map((value) => ({ value, label: ROLE_NAMES[value] }))}
            data-testid="member-role"
          />
        ) : (
          ROLE_NAMES[role]
        )}
      </td>
      <td>
        {isOurs ? (
          <Button
            variant="subtle"
            color="var(--k-bad)"
            size="compact-sm"
            onClick={onRemove}
            aria-label={`Remove ${account.displayName}`}
            data-testid="remove-member"
          >
            Remove
          </Button>
        ) : null}
      </td>
    </tr>
  );
}

interface RemoveDialogProps {
  member: MemberListRowFragment | null;
  onClose: () => void;
  onRemoved: () => void;
}

function RemoveDialog({ member, onClose, onRemoved }: RemoveDialogProps) {
  const [{ fetching }, remove] = useMutation(REMOVE);
  const confirm = async ({ account }: MemberListRowFragment): Promise<void> => {
    const { data, error } = await remove({ input: { accountId: account.id, idempotencyKey: newIdempotencyKey() } });
    const words = { done: `${account.displayName} is no member any more.`, failed: 'Nobody was removed' };
    if (tellOutcome({ error, userErrors: data?.removeMember.userErrors }, words)) onRemoved();
    onClose();
  };
  return (
    <ConfirmDialog
      opened={member !== null}
      title="Remove this member?"
      keepLabel="Keep"
      confirmLabel="Remove member"
      loading={fetching}
      onConfirm={() => member !== null && void confirm(member)}
      onClose={onClose}
      testId="remove-member-confirm"
    >
      {member?.account.displayName} is signed out of this tenant everywhere within 15 minutes. Another invitation brings
      them back.
    </ConfirmDialog>
  );
}
