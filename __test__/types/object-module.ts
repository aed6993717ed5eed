// A module whose default export is an object of functions.
export default {
  upper(text: string): string {
    return text.toUpperCase();
  },
  level: 1,
};
