'use client';

import {
  Button,
  Collapse,
  Group,
  Modal,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  TextInput,
  UnstyledButton,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown } from '@tabler/icons-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Notice } from '../shell/notice.tsx';
import { problemText } from '../shell/problem.tsx';
import classes from './create-model-dialog.module.css';
import { hyperparametersOf, LOSS_LABELS, type SettingValues, settingsFor } from './hyperparameter-settings.ts';

const CREATE_MODEL = graphql(`
  mutation CreateModel($input: CreateModelInput!) {
    createModel(input: $input) {
      model {
        id
        name
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

interface ModelValues extends SettingValues {
  name: string;
}

const LOSSES = (['SOFTMAX', 'BPR'] as const).map((value) => ({ value, label: LOSS_LABELS[value] }));

const BY_DATA = 'from the data';

/** Asks for a name and, for those who want to, settings; goes to the new model. */
export function CreateModelDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="New model" size="md">
      <CreateModelForm onClose={onClose} />
    </Modal>
  );
}

function useCreateModel(onCreated: () => void) {
  const router = useRouter();
  const [{ fetching }, createModel] = useMutation(CREATE_MODEL);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useForm<ModelValues>({
    initialValues: { name: '', loss: '', numbers: Object.fromEntries(settingsFor('').map(({ key }) => [key, ''])) },
    validate: { name: (value) => (value.trim() === '' ? 'Give the model a name.' : null) },
  });

  const submit = async (values: ModelValues): Promise<void> => {
    setProblem(null);
    const hyperparameters = hyperparametersOf(values);
    const input = { name: values.name.trim(), hyperparameters, idempotencyKey: newIdempotencyKey() };
    const { data, error } = await createModel({ input });
    if (error) return setProblem(problemText(error));
    const { model, userErrors = [] } = data?.createModel ?? {};
    if (model) {
      onCreated();
      return router.push(`/models/${model.id}`);
    }
    for (const { path, message } of userErrors) {
      const field = path.at(-1) ?? '';
      if (field === 'name') form.setFieldError('name', message);
      else if (field in values.numbers) form.setFieldError(`numbers.${field}`, message);
      else setProblem(message);
    }
  };
  return { form, submit, problem, fetching };
}

function CreateModelForm({ onClose }: { onClose: () => void }) {
  const [settingsOpen, settings] = useDisclosure();
  const { form, submit, problem, fetching } = useCreateModel(onClose);
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem === null ? null : <Notice>{problem}</Notice>}
        <TextInput
          label="Name"
          placeholder="Home page"
          description="Unique among your models."
          data-autofocus
          {...form.getInputProps('name')}
          data-testid="model-name"
        />
        <UnstyledButton className={classes.more} onClick={settings.toggle} aria-expanded={settingsOpen}>
          <IconChevronDown size={15} data-open={settingsOpen} aria-hidden="true" />
          Settings: what is left open follows your data
        </UnstyledButton>
        <Collapse expanded={settingsOpen}>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <Select
              label="Loss"
              placeholder={BY_DATA}
              data={LOSSES}
              clearable
              value={form.values.loss === '' ? null : form.values.loss}
              onChange={(loss) => form.setFieldValue('loss', LOSSES.find(({ value }) => value === loss)?.value ?? '')}
            />
            {settingsFor(form.values.loss).map(({ key, label, min, max, step }) => (
              <NumberInput
                key={key}
                label={label}
                placeholder={BY_DATA}
                min={min}
                max={max}
                step={step}
                {...form.getInputProps(`numbers.${key}`)}
              />
            ))}
          </SimpleGrid>
        </Collapse>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching} data-testid="create-model-submit">
            Create model
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
