import {
  defaultFieldResolver,
  type FieldNode,
  getArgumentValues,
  getNamedType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  isAbstractType,
  isNonNullType,
  type ResponsePath,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import { type Assemble, type AssembledField, compileAssembly, type Source, Unreadable } from '../assembly.ts';
import { collectFields, type Selecting } from './collect-fields.ts';
import { compileComplete, plainCheckOf } from './complete-value.ts';
import { type Complete, isPromise, type Place, type Run, settleError } from './place.ts';

/** Completes objects of one type by executing what is selected of them (GraphQL specification, ExecuteSelectionSet). */
export function compileObject(
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
  selecting: Selecting,
): Complete {
  const fields = [...collectFields(type, sets, selecting)].map(([name, nodes]) =>
    compileField(name, nodes, { ...selecting, parentType: type }),
  );
  // One of them is needed, nearly always: at the root there is nothing to read.
  let assemble: Assemble<Place> | undefined;
  let assembleUnread: Assemble<Place> | undefined;
  return (value, place) => {
    const chosen = hasProperties(value)
      ? (assemble ??= compileAssembly(fields))
      : (assembleUnread ??= compileAssembly(fields.map((field) => ({ ...field, property: undefined }))));
    return complete(chosen, value as Source, place);
  };
}

function hasProperties(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The object, once no field of it is under way. What fails it does so when the fields before are done. */
function complete(assemble: Assemble<Place>, source: Source, place: Place): unknown {
  let object: ReturnType<typeof assemble>;
  try {
    object = assemble(source, place);
  } catch (error) {
    if (place.pending === undefined) throw error;
    // One turn of the queue later than it could: so that what fails meanwhile is told as graphql-js tells it.
    const settled = Promise.all(place.pending).then(() => undefined);
    return settled.finally(() => {
      throw error;
    });
  }
  return place.pending === undefined || object === undefined ? object : whenSettled(object);
}

async function whenSettled(object: Record<string, unknown>): Promise<Record<string, unknown>> {
  const settled = await Promise.all(Object.values(object));
  for (const [index, name] of Object.keys(object).entries()) object[name] = settled[index];
  return object;
}

type Parent = Selecting & { parentType: GraphQLObjectType };

/** Executes one field (GraphQL specification, ExecuteField). */
function compileField(name: string, nodes: readonly FieldNode[], parent: Parent): AssembledField<Place> {
  const field = definitionOf(nodes, parent);
  const { name: typename } = parent.parentType;
  if (field === TypeNameMetaFieldDef)
    return { name, property: undefined, isPlain: undefined, complete: () => typename };
  const isPlain = plainCheckOf(field.type);
  const completeValue = compileComplete(field.type, {
    ...parent,
    coordinate: `${typename}.${field.name}`,
    nodes,
    compileObject: (type) => compileObject(type, setsOf(nodes), parent),
  });
  const failing = { nodes, isNullable: !isNonNullType(field.type) };
  const resolve = compileResolve(field, nodes, parent);
  const isRead = resolverOf(field) === undefined;
  return {
    name,
    property: isRead ? field.name : undefined,
    isPlain: isRead ? isPlain : undefined,
    complete: (property, around, source) => {
      const path = { prev: around.path, key: name, typename };
      const place: Place = { run: around.run, path, info: undefined, pending: undefined };
      try {
        const value = resolve(property, place, source);
        if (isPlain?.(value) === true) return value;
        const completed = isPromise(value)
          ? value.then((settled) => completeValue(settled, place))
          : completeValue(value, place);
        if (!isPromise(completed)) return completed;
        const settled = completed.then(undefined, (error: unknown) => settleError(error, place, failing));
        (around.pending ??= []).push(settled);
        return settled;
      } catch (error) {
        return settleError(error, place, failing);
      }
    },
  };
}

function definitionOf([node]: readonly FieldNode[], { parentType }: Parent): GraphQLField<unknown, unknown> {
  const name = node?.name.value ?? '';
  const field = name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : parentType.getFields()[name];
  if (field === undefined) throw new Error(`Wanted a field of ${parentType.name}, got ${name}`);
  return field;
}

function setsOf(nodes: readonly FieldNode[]): SelectionSetNode[] {
  return nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
}

/** What a field's resolver gives, or the property of its name, which may be a function in its place. */
type Resolve = (property: unknown, place: Place, source: unknown) => unknown;

/** Undefined where the property of its name is the answer. */
function resolverOf({ name, resolve }: GraphQLField<unknown, unknown>) {
  return resolve ?? (name in Object.prototype ? defaultFieldResolver : undefined);
}

function compileResolve(field: GraphQLField<unknown, unknown>, nodes: readonly FieldNode[], parent: Parent): Resolve {
  const [node] = nodes;
  const argumentsOf = ({ variables }: Run): Record<string, unknown> =>
    field.args.length === 0 || node === undefined ? {} : getArgumentValues(field, node, variables);
  const infoOf = ({ run, path }: Place): GraphQLResolveInfo => ({
    fieldName: field.name,
    fieldNodes: nodes,
    returnType: field.type,
    parentType: parent.parentType,
    path: path as ResponsePath,
    ...run.shared,
  });
  const isAbstract = isAbstractType(getNamedType(field.type));
  const resolve = resolverOf(field);
  return (property, place, source) => {
    if (isAbstract || resolve !== undefined) place.info = infoOf(place);
    if (resolve !== undefined)
      return resolve(source, argumentsOf(place.run), place.run.context, place.info ?? infoOf(place));
    if (property instanceof Unreadable) throw property.cause;
    if (typeof property !== 'function') return property;
    return Reflect.apply(property, source, [argumentsOf(place.run), place.run.context, infoOf(place)]);
  };
}
