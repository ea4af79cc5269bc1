-- The next start of a version that has the table measures again.
DROP TABLE "vector_index_calibration";
