// The step of scripts/code-cache.mjs. farm runs without it, somewhat slower at its start; so nothing stops where it fails.
import { makeCodeCache } from '../code-cache.mjs'

export async function keepCode() {
  try {
    await makeCodeCache()
  } catch (error) {
    console.error(`set-up: V8's code could not be kept, so farm starts some milliseconds later (${error.message})`)
  }
}
