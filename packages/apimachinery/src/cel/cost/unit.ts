// What single steps cost. Source: cel-go common/cost.go.

export const SELECT_COST = 1;
export const LIST_COST = 10;
export const MAP_COST = 30;
export const STRUCT_COST = 40;
/** Of going through a text once, a code point. */
export const TRAVERSAL_FACTOR = 0.1;
/** Of matching a pattern, a code point of it. */
export const REGEX_FACTOR = 0.25;
