// What went wrong, in a sentence, and what to try. An engine and the page throw nothing else on purpose.
export class Failure extends Error {
  constructor(title, hint = "", { again = true, offline = false } = {}) {
    super(title);
    this.hint = hint;
    this.again = again; // whether the same may succeed later
    this.offline = offline; // whether it is asked again when the network is back
  }

  get words() {
    return `${this.message} ${this.hint}`.trim();
  }
}

// Any error as a Failure; one that nobody threw on purpose goes to the console as well.
export function asFailure(error) {
  if (error instanceof Failure) return error;
  console.error(error);
  return new Failure("Something in this page went wrong.", "Reload it and try again.");
}
