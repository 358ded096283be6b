import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
  import: ["@key", "@requires", "@provides", "@external", "@shareable", "@interfaceObject"])`;

/** Contracts with what our own graph does not use yet: abstract types, `@requires`, `@provides`, several and compound keys. */
export const FEDERATION_SDL = {
  catalog: `${LINK}
    type Query { media(first: Int = 3): [Media] anything: [Anything!] product(id: ID!): Product top: [Product!]! }
    interface Media { id: ID! title: String tags: [String!]! }
    type Book implements Media @key(fields: "id") { id: ID! title: String tags: [String!]! pages: Int! author: Person }
    type Film implements Media @key(fields: "id") { id: ID! title: String tags: [String!]! minutes: Int author: Person! }
    union Anything = Book | Film | Person
    type Person @key(fields: "id") { id: ID! }
    type Product @key(fields: "id") @key(fields: "sku { code region }") { id: ID! sku: Sku! weight: Int size: Size media: Media sold: [[Product]] }
    type Sku { code: String! region: String! }
    type Size { width: Int! height: Int }`,
  model: `${LINK}
    type Query { people: [Person!]! shipping: [Product] }
    type Person @key(fields: "id") { id: ID! name: String! @shareable friends(first: Int = 2): [Person] likes: [Media!] }
    interface Media { id: ID! }
    type Book implements Media @key(fields: "id", resolvable: false) { id: ID! }
    type Film implements Media @key(fields: "id") { id: ID! rating: Float score: Score }
    enum Score { GOOD BAD }
    type Product @key(fields: "id") {
      id: ID!
      weight: Int @external
      size: Size @external
      shippingCost(express: Boolean = false): Int @requires(fields: "weight size { width height }")
    }
    type Size @shareable { width: Int! @external height: Int @external }`,
  recommendation: `${LINK}
    type Query { similar(id: ID!): [Product!] }
    type Mutation { rate(id: ID!, stars: Int!): Product reset: [Person] }
    type Product @key(fields: "sku { code region }") { sku: Sku! stock: Int! reviews: [Review!] }
    type Sku @shareable { code: String! region: String! }
    type Review { body: String author: Person @provides(fields: "name") }
    type Person @key(fields: "id") { id: ID! name: String! @external reviews: [Review] }`,
} as const;

export function composeTestFederation(): string {
  return composeContracts(FEDERATION_SDL);
}

/** The supergraph of subgraphs' contracts. */
export function composeContracts(contracts: Readonly<Record<string, string>>): string {
  const services = Object.entries(contracts).map(([name, sdl]) => ({ name, url: 'http://stub', typeDefs: parse(sdl) }));
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw new Error(`The test graph does not compose: ${errors?.join('\n')}`);
  return supergraphSdl;
}
