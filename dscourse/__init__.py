"""What only the course needs: exercises, quizzes, measurements, the ledger of claims. dslib never imports it."""
