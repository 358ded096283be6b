'use client';

import { Button, FileInput, NativeSelect, SimpleGrid, Stack } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { authorizedFetch } from '../../lib/urql.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ImportErrorPolicy, ImportFormat, ImportKind } from '../../src/generated/graphql.ts';
import { useApiOrigin, useSessionStore } from '../session/session-provider.tsx';
import { Notice } from '../shell/notice.tsx';
import { problemOf } from '../shell/tell-outcome.ts';
import { guessOrder } from './guess-order.ts';
import { FORMAT_NAMES, KIND_NAMES, POLICY_NAMES } from './import-names.ts';
import { uploadFile } from './upload-file.ts';

const START = graphql(`
  mutation StartImport($input: StartImportInput!) {
    startImport(input: $input) {
      import {
        id
        status
      }
      userErrors {
        message
      }
    }
  }
`);

/** Enough of a file to see its first row. */
const BEGINNING_BYTES = 4_096;

interface Order {
  kind: ImportKind;
  format: ImportFormat;
  errorPolicy: ImportErrorPolicy;
}

const optionsOf = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).map(([value, label]) => ({ value, label }));

/** Uploads a file, starts its import and goes to its page. */
function useUpload() {
  const router = useRouter();
  const session = useSessionStore();
  const apiOrigin = useApiOrigin();
  const [, start] = useMutation(START);
  const [step, setStep] = useState<'idle' | 'uploading' | 'starting'>('idle');
  const [problem, setProblem] = useState<string | null>(null);
  const refuse = (reason: string): void => {
    setStep('idle');
    setProblem(reason);
  };
  const upload = async (file: File, order: Order): Promise<void> => {
    setProblem(null);
    setStep('uploading');
    const uploaded = await uploadFile(authorizedFetch(session), apiOrigin, file);
    if ('problem' in uploaded) return refuse(uploaded.problem);
    setStep('starting');
    const input = { ...order, uploadId: uploaded.uploadId, idempotencyKey: newIdempotencyKey() };
    const { data, error } = await start({ input });
    const { import: started, userErrors } = data?.startImport ?? {};
    if (started) return router.push(`/imports/${started.id}`);
    refuse(problemOf({ error, userErrors }) ?? 'The import was not started.');
  };
  return { upload, step, problem };
}

/** Takes a file and says what it holds; both are guessed from the file first. */
export function UploadForm() {
  const { upload, step, problem } = useUpload();
  const [file, setFile] = useState<File | null>(null);
  const [order, setOrder] = useState<Order>({ kind: 'ITEMS', format: 'JSONL', errorPolicy: 'REJECT_FAILED_ROWS' });
  const choose = async (chosen: File | null): Promise<void> => {
    setFile(chosen);
    if (chosen === null) return;
    const guessed = guessOrder(chosen.name, await chosen.slice(0, BEGINNING_BYTES).text());
    setOrder((before) => ({ ...before, ...guessed }));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== null) void upload(file, order);
      }}
    >
      <Stack gap="md">
        {problem === null ? null : (
          <Notice title="The import was not started" testId="import-problem">
            {problem}
          </Notice>
        )}
        <FileInput
          label="File"
          description="JSON lines or CSV in UTF-8, at most 1 GiB."
          placeholder="Choose a file"
          accept=".jsonl,.ndjson,.csv,text/csv,application/x-ndjson"
          value={file}
          onChange={(chosen) => void choose(chosen)}
          clearable
          data-testid="import-file"
        />
        <OrderFields order={order} onChange={setOrder} />
        <div>
          <Button
            type="submit"
            leftSection={<IconUpload size={16} />}
            disabled={file === null}
            loading={step !== 'idle'}
            data-testid="import-submit"
          >
            Import
          </Button>
          <span role="status" style={{ marginLeft: 12 }}>
            {step === 'uploading' ? 'Uploading…' : step === 'starting' ? 'Starting…' : ''}
          </span>
        </div>
      </Stack>
    </form>
  );
}

function OrderFields({ order, onChange }: { order: Order; onChange: (order: Order) => void }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 3 }}>
      <NativeSelect
        label="It holds"
        value={order.kind}
        onChange={({ currentTarget }) => onChange({ ...order, kind: currentTarget.value as ImportKind })}
        data={optionsOf(KIND_NAMES)}
        data-testid="import-kind"
      />
      <NativeSelect
        label="Written as"
        value={order.format}
        onChange={({ currentTarget }) => onChange({ ...order, format: currentTarget.value as ImportFormat })}
        data={optionsOf(FORMAT_NAMES)}
        data-testid="import-format"
      />
      <NativeSelect
        label="When rows are wrong"
        value={order.errorPolicy}
        onChange={({ currentTarget }) => onChange({ ...order, errorPolicy: currentTarget.value as ImportErrorPolicy })}
        data={optionsOf(POLICY_NAMES)}
        data-testid="import-policy"
      />
    </SimpleGrid>
  );
}
