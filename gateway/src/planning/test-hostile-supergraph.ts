import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const TYPES = ['T0', 'T1', 'T2', 'T3', 'T4', 'T5'];
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@external"])`;
const THING = 'interface Thing { id: ID! next: Thing far: String }';

/**
 * A graph whose implementations of an interface live in different subgraphs: below each level of `next` the planner goes
 * on with each of them apart, several times as many as above.
 */
export function composeHostileSupergraph(): string {
  const owned = (index: number) =>
    TYPES.map((name, at) =>
      typeOf(name, at % 2 === index ? 'next: Thing far: String' : 'next: Thing @external far: String @external'),
    );
  const services = [
    `type Query { thing: Thing } ${THING} ${owned(0).join(' ')}`,
    `type Query { other: Thing } ${THING} ${owned(1).join(' ')}`,
  ].map((sdl, index) => ({ name: `s${index}`, url: 'http://stub', typeDefs: parse(`${LINK} ${sdl}`) }));
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw new Error(`The graph does not compose: ${errors?.join('\n')}`);
  return supergraphSdl;
}

function typeOf(name: string, fields: string): string {
  return `type ${name} implements Thing @key(fields: "id") { id: ID! ${fields} }`;
}

/** Small and within every limit. */
export function hostileQuery(depth: number): string {
  return `{ thing { ${'next { '.repeat(depth)} far ${'} '.repeat(depth)} } }`;
}
