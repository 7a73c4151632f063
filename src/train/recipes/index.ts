import { inductionRecipe } from './induction.js';
import { ioiRecipe } from './ioi.js';
import type { Recipe } from './recipe.js';

export const RECIPES: readonly Recipe[] = [inductionRecipe, ioiRecipe];
