const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@requires", "@provides",
  "@external", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@tag", "@extends"])`;

/** One theme of the federation specification: the contracts of up to four subgraphs. */
export type Theme = Readonly<Record<string, string>>;

// Not of our graph: an executor of plans is to know no subgraph by its name.
const NAMES = ['a', 'toString', 'price-list', 'Users_2'];

function named(sdl: string, index: number): [string, string] {
  const name = NAMES[index];
  if (name === undefined) throw new Error(`A theme has at most ${NAMES.length} subgraphs, got ${index + 1}`);
  return [name, sdl];
}

function theme(...contracts: readonly string[]): Theme {
  return Object.fromEntries(contracts.map((sdl, index) => named(`${LINK} ${sdl}`, index)));
}

/** Contracts as they were before `@link`. */
function firstVersion(...contracts: readonly string[]): Theme {
  return Object.fromEntries(contracts.map((sdl, index) => named(sdl, index)));
}

export const THEMES: Readonly<Record<string, Theme>> = {
  'several, compound and nested keys': theme(
    `type Query { shelf: [Book!]! }
     type Book @key(fields: "isbn") @key(fields: "code { country number }") { isbn: ID! code: Code! title: String }
     type Code { country: String! number: Int! }`,
    `type Query { loans(first: Int = 3): [Book] }
     type Book @key(fields: "code { country number }") @key(fields: "loan { id }") { code: Code! loan: Loan! due: String }
     type Code { country: String! @shareable number: Int! @shareable } type Loan @shareable { id: ID! }`,
    `type Book @key(fields: "loan { id }") { loan: Loan! fine: Int readers: [Reader!] }
     type Loan @shareable { id: ID! } type Reader @key(fields: "id card") { id: ID! card: String! }`,
    `type Reader @key(fields: "id card") { id: ID! card: String! name: String! favourite: Book }
     type Book @key(fields: "isbn", resolvable: false) { isbn: ID! }`,
  ),
  'requires with arguments, chains and fragments': theme(
    `type Query { parcels: [Parcel!] parcel(id: ID!): Parcel }
     type Parcel @key(fields: "id") { id: ID! weight(unit: String): Float size: Size! content: Content price(currency: String!): Int }
     type Size { x: Int! y: Int } union Content = Letter | Crate
     type Letter { pages: Int words: Int } type Crate { bottles: Int }`,
    `type Parcel @key(fields: "id") { id: ID! weight(unit: String): Float @external size: Size! @external
       postage: Int @requires(fields: "weight(unit: \\"g\\") size { x y }") }
     type Size @external { x: Int! y: Int }`,
    `type Parcel @key(fields: "id") { id: ID! postage: Int @external weight(unit: String): Float @external
       price(currency: String!): Int @external content: Content @external
       total(discount: Int): Int @requires(fields: "postage weight(unit: \\"kg\\") price(currency: \\"EUR\\")")
       customs: String @requires(fields: "content { ... on Letter { pages } ... on Crate { bottles } }") }
     union Content = Letter | Crate type Letter { pages: Int @external } type Crate { bottles: Int @external }`,
    `type Parcel @key(fields: "id") { id: ID! total(discount: Int): Int @external customs: String @external
       summary: String! @requires(fields: "total(discount: 5) customs") }`,
  ),
  'requires in circles': theme(
    `type Query { post: Post posts: [Post!] }
     type Post @key(fields: "id") { id: ID! byNovice: Boolean! @external byExpert: Boolean! @requires(fields: "byNovice") }`,
    `type Post @key(fields: "id") { id: ID! author: Author! byNovice: Boolean! @requires(fields: "author { years }") }
     type Author @key(fields: "id") { id: ID! years: Int @external posts: [Post] }`,
    `type Author @key(fields: "id") { id: ID! years: Int }`,
  ),
  'provides, nested and on unions and interfaces': theme(
    `type Query { feed: [Entry] @provides(fields: "... on Song { title maker { name } }") first: Work @provides(fields: "... on Song { title }") }
     union Entry = Song | Clip interface Work { id: ID! title: String }
     type Song implements Work @key(fields: "id") { id: ID! title: String @external maker: Maker @external }
     type Clip implements Work @key(fields: "id") { id: ID! title: String @shareable }
     type Maker @key(fields: "id") { id: ID! name: String @external }`,
    `type Query { latest: Song }
     type Song @key(fields: "id") { id: ID! title: String @shareable maker: Maker @shareable length: Int }
     type Maker @key(fields: "id") { id: ID! name: String @shareable songs: [Song!] }
     type Clip @key(fields: "id") { id: ID! title: String @shareable seconds: Int! }`,
  ),
  override: theme(
    `type Query { stock: [Part] } type Part @key(fields: "id") { id: ID! name: String price: Int }`,
    `type Query { parts: [Part!]! @override(from: "${NAMES[0]}") } type Part @key(fields: "id") { id: ID! price: Int @override(from: "${NAMES[0]}") name: String @shareable @override(from: "${NAMES[0]}") }`,
  ),
  'interface objects': theme(
    `type Query { accounts: [Account] one: Account! }
     interface Account @key(fields: "id") { id: ID! holder: String }
     type Savings implements Account @key(fields: "id") { id: ID! holder: String interest: Float! }
     type Checking implements Account @key(fields: "id") { id: ID! holder: String limit: Int }`,
    `type Query { oldest: Account } type Account @interfaceObject @key(fields: "id") { id: ID! holder: String @external
       balance: Int! label: String @requires(fields: "holder") twin: Account }`,
    `type Account @interfaceObject @key(fields: "id") { id: ID! balance: Int! @external risk: String @requires(fields: "balance") }`,
  ),
  'what is inaccessible': theme(
    `type Query { animals: [Animal!] pet(kind: Kind): Pet secret: String @inaccessible }
     interface Animal { id: ID! name: String } union Pet = Cat | Dog | Dragon enum Kind { CAT DOG DRAGON @inaccessible }
     type Cat implements Animal @key(fields: "id") { id: ID! name: String kind: Kind hidden: String @inaccessible }
     type Dog implements Animal @key(fields: "id") { id: ID! name: String }
     type Dragon implements Animal @key(fields: "id") @inaccessible { id: ID! name: String }`,
    `type Cat @key(fields: "id") { id: ID! hidden: String @external lives: Int @requires(fields: "hidden") }
     type Dog @key(fields: "id") { id: ID! age: Int friend: Cat }`,
  ),
  'enums and inputs that subgraphs know in part': theme(
    `type Query { paint(color: Color = RED, filter: Filter): Color @shareable colors: [Color!] } enum Color { RED GREEN BLUE }
     input Filter { first: Int only: String = "a" }`,
    `type Query { paint(color: Color = RED, filter: Filter): Color @shareable dots(in: Filter): [Dot] } enum Color { RED GREEN BLUE }
     input Filter { first: Int extra: String } type Dot { color: Color shade: Shade } enum Shade { LIGHT DARK }`,
    `type Query { shades: [Shade] } enum Shade { LIGHT MIDDLE DARK }`,
  ),
  'unions that subgraphs know in part': theme(
    `type Query { media: Media @shareable shown: [Media] viewer: Viewer @shareable } union Media = Book | Movie
     type Viewer @shareable { media: Media } type Book @key(fields: "id") { id: ID! title: String } type Movie @key(fields: "id") { id: ID! }`,
    `type Query { media: Media @shareable viewer: Viewer @shareable } union Media = Book | Song
     type Viewer @shareable { media: Media song: Song } type Book @key(fields: "id") { id: ID! aTitle: String }
     type Song { title: String length: Int }`,
    `type Movie @key(fields: "id") { id: ID! minutes: Int sequel: Media } union Media = Movie | Book type Book @key(fields: "id", resolvable: false) { id: ID! }`,
  ),
  'interfaces that subgraphs know in part': theme(
    `type Query { products: [Product] similar(id: ID!): Product! } interface Product { id: ID! sku: String }
     interface Priced { price: Price } type Price @shareable { amount: Int currency: String! }
     type Oven implements Product & Priced @key(fields: "id") { id: ID! sku: String price: Price @shareable warranty: Int }
     type Toaster implements Product @key(fields: "id") { id: ID! sku: String slots: Int! }`,
    `type Query { priced: [Priced!]! node(id: ID!): Product } interface Product { id: ID! reviews: [Review!] } interface Priced { price: Price }
     type Price @shareable { amount: Int currency: String! } type Review { body: String of: Product }
     type Oven implements Product & Priced @key(fields: "id") { id: ID! price: Price @shareable reviews: [Review!] }
     type Toaster implements Product & Priced @key(fields: "id") { id: ID! price: Price reviews: [Review!] }`,
    `type Toaster @key(fields: "id") { id: ID! similar: [Toaster] } type Oven @key(fields: "id") { id: ID! toys: [Oven!] }`,
  ),
  'keys that are null': theme(
    `type Query { entries: [Entry] } type Entry @key(fields: "upc") { upc: ID }`,
    `type Entry @key(fields: "upc") @key(fields: "code") { upc: ID code: Int }`,
    `type Entry @key(fields: "code") { code: Int name: String author: Writer } type Writer @key(fields: "id") { id: ID }`,
    `type Writer @key(fields: "id") { id: ID name: String! }`,
  ),
  'mutations in their order': theme(
    `type Query { n: Int } type Mutation { add(by: Int!): Counter! reset: Boolean } type Counter @key(fields: "id") { id: ID! value: Int }`,
    `type Mutation { multiply(by: Int!): Counter fail: Int! } type Counter @key(fields: "id") { id: ID! label: String! }`,
  ),
  'extensions of the first federation': firstVersion(
    `type Query { users: [User] me: User! } type User @key(fields: "id") { id: ID! name: String address: Address } type Address { city: String zip: Int! }`,
    `extend type Query { reviews(first: Int): [Review!] } extend type User @key(fields: "id") { id: ID! @external name: String @external
       reviews: [Review!] greeting: String @requires(fields: "name") }
     type Review @key(fields: "id") { id: ID! body: String author: User @provides(fields: "name") }`,
    `extend type Review @key(fields: "id") { id: ID! @external votes: Int! } extend type User @key(fields: "id") { id: ID! @external karma: Int }`,
  ),
  'references in circles': theme(
    `type Query { node: Node! nodes: [Node] } interface Node { id: ID! next: Node }
     type A implements Node @key(fields: "id") { id: ID! next: Node b: B! } type B implements Node @key(fields: "id") { id: ID! next: Node }`,
    `type A @key(fields: "id") { id: ID! name: String bs: [B] } type B @key(fields: "id") { id: ID! a: A price: Float! }`,
  ),
  'root fields that several subgraphs share': theme(
    `type Query { product: Product @shareable items: [Item!] @shareable } type Product { id: ID! @shareable name: Name @shareable }
     type Name { brand: String } type Item @key(fields: "id") { id: ID! x: Int }`,
    `type Query { product: Product @shareable items: [Item!] @shareable } type Product { id: ID! @shareable name: Name @shareable category: Category }
     type Name { model: String } type Category { name: String! } type Item @key(fields: "id") { id: ID! y: Int }`,
    `type Query { product: Product @shareable } type Product { id: ID! @shareable price: Int list: [[Int]!] }`,
  ),
  'entities below value types and their parents': theme(
    `type Query { top: List! } type List @key(fields: "products { id pid }") { products: [Product!]! @shareable first: Product @shareable }
     type Product @key(fields: "id pid") { id: ID! pid: ID }`,
    `type List @key(fields: "products { id pid }") { products: [Product!]! @shareable selected: Product first: Product @shareable }
     type Product @key(fields: "id") { id: ID! category: Category pid: ID @shareable } type Category @key(fields: "id") { id: ID! main: Product! }`,
    `type Product @key(fields: "id") { id: ID! price: Price kind: Category } type Price { amount: Int! }
     type Category @key(fields: "id") { id: ID! details: Details tag: String } type Details @shareable { text: String }`,
  ),
  'fields of one name and several types': theme(
    `type Query { accounts: [Account] } union Account = Admin | User | Guest
     type Admin @key(fields: "id") { id: ID! name: String! rights: [String!]! } type User @key(fields: "id") { id: ID! name: String friends(first: Int): [User] } type Guest { id: ID name: Int }`,
    `type Admin @key(fields: "id") { id: ID! photo: Photo! } type User @key(fields: "id") { id: ID! photo: Photo } type Photo { url: String! size: Int }`,
  ),
  'directives that an operation may hold': theme(
    `directive @mark(as: String = "a", many: [Int!] = [1]) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
     type Query { a: Thing things: [Thing!]! } type Thing @key(fields: "id") { id: ID! x: String @tag(name: "t") }`,
    `directive @mark(as: String = "a", many: [Int!] = [1]) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
     type Query { b: Thing } type Thing @key(fields: "id") { id: ID! y(at: Int): String! }`,
  ),
};
