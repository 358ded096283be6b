'use client';

import { ActionIcon, Button, Combobox, Loader, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { withSessionItem } from './audience.ts';
import classes from './audience-panel.module.css';
import { Poster } from './poster.tsx';
import { SessionItem } from './session-item.tsx';

const SEARCH = graphql(`
  query ItemSearch($search: String!, $first: Int!) {
    items(first: $first, search: $search) {
      edges {
        cursor
        node {
          id
          externalId
          title
          categories
        }
      }
    }
  }
`);

interface SessionPanelProps {
  items: readonly string[];
  onChange: (items: string[]) => void;
}

/** What an anonymous visitor has seen so far: searched for, or clicked among the recommendations. */
export function SessionPanel({ items, onChange }: SessionPanelProps) {
  return (
    <>
      <ItemSearch onChoose={(externalId) => onChange(withSessionItem(items, externalId))} />
      <div className={classes.headline}>
        <h2 className={classes.heading}>In this session</h2>
        {items.length === 0 ? null : (
          <Button variant="subtle" color="gray" size="compact-xs" onClick={() => onChange([])}>
            Clear
          </Button>
        )}
      </div>
      {items.length === 0 ? (
        <p className={classes.hint}>
          Empty: nothing is known of this visitor. Click a recommended item, or search for one.
        </p>
      ) : (
        <ul className={classes.list} data-testid="session-items" aria-label="Items in this session">
          {items.toReversed().map((externalId) => (
            <SessionItem
              key={externalId}
              externalId={externalId}
              remove={
                <ActionIcon
                  size="sm"
                  aria-label={`Remove item ${externalId} from the session`}
                  onClick={() => onChange(items.filter((id) => id !== externalId))}
                >
                  <IconX size={14} />
                </ActionIcon>
              }
            />
          ))}
        </ul>
      )}
    </>
  );
}

function ItemSearch({ onChoose }: { onChoose: (externalId: string) => void }) {
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 180);
  const [{ data, fetching }] = useQuery({ query: SEARCH, variables: { search, first: 8 }, pause: search === '' });
  const found = search === '' ? [] : (data?.items.edges.map(({ node }) => node) ?? []);
  return (
    <Combobox
      store={combobox}
      withinPortal={false}
      onOptionSubmit={(externalId) => {
        onChoose(externalId);
        setText('');
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target>
        <TextInput
          mt="md"
          label="Add an item"
          placeholder="Search titles"
          value={text}
          leftSection={<IconSearch size={15} />}
          rightSection={fetching && search !== '' ? <Loader size={14} /> : null}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.openDropdown();
            combobox.updateSelectedOptionIndex();
          }}
          onFocus={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
          data-testid="item-search"
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={search === ''}>
        <Combobox.Options aria-label="Items found">
          {found.length === 0 && !fetching ? <Combobox.Empty>No title holds “{search}”</Combobox.Empty> : null}
          {found.map((item) => (
            <Combobox.Option key={item.id} value={item.externalId} data-testid="item-option">
              <span className={classes.option}>
                <Poster title={item.title} categories={item.categories} size="thumb" />
                <span className={classes.words}>
                  <span className={classes.title}>{item.title}</span>
                  <span className={classes.meta}>{item.categories.slice(0, 3).join(' · ')}</span>
                </span>
              </span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
